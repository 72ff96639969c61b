"""`--profile` is the account that is shown and the account that is changed, whatever keys are exported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.stack.account import Account
from tests.cloud.profiles import signing_keys, write_profiles
from tests.stack.conftest import default_vpc

Verb = Callable[..., int]


def test_teardown_of_a_profile_asks_and_changes_that_account_alone(
    setup: Verb, teardown: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup("--yes", *default_vpc())
    write_profiles(tmp_path, monkeypatch)
    signers = signing_keys(monkeypatch)
    assert teardown("--yes", "--profile", "lab") == 0
    assert signers == {"KEYOFLAB"}


def test_setup_with_a_profile_asks_and_changes_that_account_alone(
    setup: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profiles(tmp_path, monkeypatch)
    signers = signing_keys(monkeypatch)
    assert setup("--yes", "--profile", "lab") == 0
    assert signers == {"KEYOFLAB"}


def test_an_account_leaves_the_environment_as_it_is(
    account: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profiles(tmp_path, monkeypatch)
    first = Account("lab", "eu-west-1")
    Account("clinic")
    assert first.where == "profile lab, region eu-west-1"
    assert Account().where.startswith("the keys in AWS_ACCESS_KEY_ID")


def test_no_region_is_told_in_three_lines(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(InputError, match=r"no AWS region is set\n  where: .*\n  fix: .*--region"):
        Account()


def test_the_words_of_a_verb_are_known_before_boto3_is_imported() -> None:
    files = "import pipeline.cli.setup, pipeline.cli.teardown, pipeline.cli.images"
    code = f"import sys; {files}; print(*[name for name in sys.modules if name.startswith(HEAVY)])"
    heavy = ("boto3", "botocore", "pipeline.stack", "pipeline.images", "pipeline.cloud")
    code = code.replace("HEAVY", repr(heavy))
    root = Path(__file__).parent.parent.parent
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.split() == []
