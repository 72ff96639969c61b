"""Before a run on AWS: who asks and where is said, and all that would go wrong is told in one message."""

from __future__ import annotations

from collections.abc import Iterator

import moto
import pytest

from pipeline.aws import Cloud
from pipeline.errors import InputError
from pipeline.identity import describe_caller

REGION = "eu-west-1"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        yield Cloud(region=REGION)


def test_a_run_says_account_caller_and_region(cloud: Cloud) -> None:
    said = describe_caller(cloud)
    assert "account 123456789012" in said
    assert REGION in said
    assert "as arn:aws:" in said


def test_a_run_on_a_batch_that_is_not_of_aws_says_its_address_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BATCH", "http://127.0.0.1:9")
    cloud = Cloud(region=REGION)
    assert "http://127.0.0.1:9" in describe_caller(cloud)
    assert not cloud.calls


def test_no_region_is_told_in_three_lines() -> None:
    with pytest.raises(InputError, match=r"no AWS region is set\n  where: .*\n  fix: .*AWS_DEFAULT_REGION"):
        describe_caller(Cloud())
