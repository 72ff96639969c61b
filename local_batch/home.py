"""Where the endpoint keeps its state: one private folder."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

KEY_ID_LETTERS = string.ascii_uppercase + "234567"
SECRET_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key pair."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Keys({self.access_key_id!r})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The user's key, for everything, and the jobs' key, for S3 alone."""

    user: Keys
    jobs: Keys


class Home:
    """The folder of one endpoint, 0700: `$BATCH_PIPELINE_HOME/local`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder.resolve()
        self.state = self.folder / "state.sqlite"
        self.endpoint = self.folder / "endpoint.json"
        self.lock = self.folder / "lock"
        self.log = self.folder / "server.log"
        self.logs = self.folder / "logs"
        self.scratch = self.folder / "scratch"
        self.s3 = self.folder / "s3"
        self.events = self.folder / "events.jsonl"

    @classmethod
    def of_user(cls) -> Home:
        """Return the folder that the environment names, or the platform's."""
        named = os.environ.get("BATCH_PIPELINE_HOME")
        return cls((Path(named) if named else Path(platformdirs.user_data_dir("batch-pipeline"))) / "local")

    def keyring(self, *, is_users_own: bool = False) -> Keyring:
        """Return the keys, made at random the first time, or those that the user has for an S3 of her own."""
        path = self.folder / ("own-keys.json" if is_users_own else "keys.json")
        if not path.exists():
            write_private(path, asdict(Keyring(_new_keys(), _new_keys())))
        saved = json.loads(path.read_text())
        return Keyring(Keys(**saved["user"]), Keys(**saved["jobs"]))

    def server_id(self) -> str:
        """Return the random name by which this endpoint knows its own processes again."""
        path = self.folder / "server-id"
        if not path.exists():
            path.write_text(secrets.token_hex(8))
        return path.read_text()


def keep_own_keys(home: Home, keys: Keys) -> None:
    """Keep the keys of an S3 endpoint that somebody else runs: they open Batch too, and jobs get them."""
    write_private(home.folder / "own-keys.json", asdict(Keyring(keys, keys)))


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Leave JSON in a file that only its owner can read, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
    partial.rename(path)


def _new_keys() -> Keys:
    key_id = "AKIA" + "".join(secrets.choice(KEY_ID_LETTERS) for _ in range(16))
    return Keys(key_id, "".join(secrets.choice(SECRET_LETTERS) for _ in range(40)))
