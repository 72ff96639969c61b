"""Two labs' profiles in a file, somebody's keys exported, and whose key a request is signed with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth

PROFILES = """
[profile lab]
region = eu-west-1
aws_access_key_id = KEYOFLAB
aws_secret_access_key = secret
[profile clinic]
region = us-east-2
aws_access_key_id = KEYOFCLINIC
aws_secret_access_key = secret
"""


def write_profiles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are the profiles `lab` and `clinic`, and no other; the keys of a third account are exported."""
    config = folder / "config"
    config.write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEYEXPORTED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def signing_keys(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """A set that grows by the access key of each request that is signed from now on."""
    keys: set[str] = set()
    sign = SigV4Auth.add_auth

    def sign_and_note(auth: Any, request: Any) -> None:
        keys.add(auth.credentials.access_key)
        sign(auth, request)

    monkeypatch.setattr(SigV4Auth, "add_auth", sign_and_note)
    return keys
