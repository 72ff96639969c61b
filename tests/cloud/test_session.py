"""One session, made from the profile: who is named is who is asked, by every client and from every thread."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from botocore.exceptions import EndpointConnectionError

from pipeline.cloud.identity import describe_caller
from pipeline.cloud.session import Cloud, as_pipeline_error, plain_errors
from pipeline.errors import InputError, UnreachableError
from tests.cloud.profiles import signing_keys, write_profiles

ROOT = Path(__file__).parent.parent.parent
THREADS, CALLS = 8, 25


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(tmp_path, monkeypatch)


@pytest.fixture
def signers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The access keys that requests were signed with until now."""
    return signing_keys(monkeypatch)


def ask_everywhere(cloud: Cloud) -> None:
    """One request by each client that the project makes."""
    describe_caller(cloud)
    cloud.batch.describe_job_queues()
    cloud.s3.list_buckets()
    cloud.logs.describe_log_groups()
    cloud.client("cloudformation").describe_stacks()
    cloud.client("ecr", region="us-east-2").describe_repositories()


@moto.mock_aws(config={"core": {"mock_credentials": False}})
def test_a_named_profile_signs_every_request_whatever_keys_are_exported(signers: set[str]) -> None:
    ask_everywhere(Cloud(profile="lab"))
    assert signers == {"KEYOFLAB"}


@moto.mock_aws(config={"core": {"mock_credentials": False}})
def test_two_clouds_of_two_profiles_do_not_mix(signers: set[str]) -> None:
    clouds = [Cloud(profile="lab"), Cloud(profile="clinic")]
    clouds[0].batch.describe_job_queues()
    assert signers == {"KEYOFLAB"}
    clouds[1].batch.describe_job_queues()
    assert signers == {"KEYOFLAB", "KEYOFCLINIC"}


def test_a_profile_brings_its_region_and_is_named_in_messages() -> None:
    assert Cloud(profile="clinic").where == "profile clinic, region us-east-2"
    assert Cloud(profile="clinic", region="eu-west-1").where == "profile clinic, region eu-west-1"


def test_keys_that_are_used_are_named_in_messages_and_no_profile(
    monkeypatch: pytest.MonkeyPatch, signers: set[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "lab")  # which loses against exported keys: boto3's own rule
    cloud = Cloud()
    assert cloud.where == "the keys in AWS_ACCESS_KEY_ID, region eu-west-1"
    with moto.mock_aws(config={"core": {"mock_credentials": False}}):
        cloud.batch.describe_job_queues()
    assert signers == {"KEYEXPORTED"}
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert Cloud().where == "profile lab, region eu-west-1"


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError) as refused:
        Cloud(profile="lap")
    assert str(refused.value).splitlines() == [
        "there is no profile 'lap'",
        "  where: --profile lap",
        "  fix:   name one of those there are: clinic, lab",
    ]


def test_an_unknown_profile_of_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "lap")
    with pytest.raises(InputError, match=r"no profile 'lap'\n  where: AWS_PROFILE lap\n  fix: .*clinic, lab"):
        Cloud()


def test_without_any_profile_one_is_to_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="aws configure --profile lab"):
        Cloud(profile="lab")


def test_a_client_without_a_region_ends_in_the_words_of_no_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    cloud = Cloud()
    with pytest.raises(InputError) as refused, plain_errors(cloud.where):
        cloud.batch.describe_job_queues()
    assert str(refused.value).splitlines() == [
        "no AWS region is set",
        "  where: the keys in AWS_ACCESS_KEY_ID, region (none)",
        "  fix:   set one: export AWS_DEFAULT_REGION=eu-west-1, or aws configure (or run here: --queue local)",
    ]
    with pytest.raises(InputError) as checked:
        describe_caller(cloud)
    assert checked.value.problems == refused.value.problems


NO_ANSWER = EndpointConnectionError(endpoint_url="http://127.0.0.1:9/")


def test_an_endpoint_on_this_machine_that_does_not_answer_is_to_be_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    [problem] = as_pipeline_error(NO_ANSWER, "the endpoint on this machine").problems
    assert problem.what == f"it does not answer: {NO_ANSWER}"
    assert problem.fix == "start it again: python main.py local start"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://mine:9000")
    [problem] = as_pipeline_error(NO_ANSWER, "the endpoint on this machine").problems
    assert problem.fix == (
        "start it again (AWS_ENDPOINT_URL_S3 names another S3: see that it is right): python main.py local start"
    )


def test_an_aws_that_does_not_answer_is_not_to_be_started() -> None:
    error = as_pipeline_error(NO_ANSWER, "profile lab, region eu-west-1")
    assert isinstance(error, UnreachableError)
    assert "main.py local start" not in str(error)


class Interrupted(Counter[str]):
    """Counts, and gives every other thread a turn between reading a number and writing the next."""

    def __getitem__(self, key: str) -> int:
        number = super().__getitem__(key)
        time.sleep(0)
        return number


def test_calls_from_many_threads_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(profile="lab")
    monkeypatch.setattr(cloud, "_calls", Interrupted())
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(THREADS * CALLS):
            pool.submit(cloud._count, "before-send.batch.DescribeJobs")
    assert cloud.calls == {"DescribeJobs": THREADS * CALLS}


def test_clients_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0
    make = boto3.Session.client

    def make_and_watch(session: boto3.Session, service: Any, **how: Any) -> Any:
        nonlocal inside, most
        inside += 1
        time.sleep(0)
        most = max(most, inside)
        made = make(session, service, **how)
        inside -= 1
        return made

    monkeypatch.setattr(boto3.Session, "client", make_and_watch)
    cloud = Cloud(profile="lab")
    with ThreadPoolExecutor(THREADS) as pool:
        assert len(list(pool.map(cloud.client, ["batch"] * THREADS))) == THREADS
    assert most == 1


def test_boto3_is_imported_when_a_cloud_is_made_and_not_before() -> None:
    code = "import sys, pipeline.cloud.session; print(*{'boto3', 'botocore.session'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == []
