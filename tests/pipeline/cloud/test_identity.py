"""Who asks AWS, and where, is said before anything is written."""

from __future__ import annotations

import pytest

from pipeline.cloud.identity import check_region, describe_caller
from pipeline.cloud.session import Cloud
from pipeline.errors import InputError
from tests.pipeline.lab import Lab


def test_the_account_the_region_and_the_caller_are_named(lab: Lab) -> None:
    told = describe_caller(lab.cloud)
    assert told.startswith("AWS account 123456789012, region us-east-1, as arn:aws:")


def test_a_batch_that_is_not_awss_is_named_by_its_address(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BATCH", "http://127.0.0.1:1234")
    assert (
        describe_caller(Cloud(region="us-east-1"))
        == "AWS Batch is at http://127.0.0.1:1234, region us-east-1"
    )


def test_without_a_region_the_ways_to_set_one_are_told(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"no AWS region is set\n.*\n.*AWS_DEFAULT_REGION.*--queue local"):
        check_region(Cloud(), otherwise="or run here: --queue local")
