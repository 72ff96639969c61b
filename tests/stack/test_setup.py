"""`setup` and `teardown` against moto's CloudFormation."""

from __future__ import annotations

import io
from collections.abc import Callable

import boto3
import pytest

from pipeline.errors import InputError
from pipeline.stack.stack import template
from tests.stack.conftest import default_vpc

Verb = Callable[..., int]
NAME = "batch-pipeline"
BUCKET = f"{NAME}-123456789012-eu-west-1"


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def stack_names() -> list[str]:
    return [stack["StackName"] for stack in boto3.client("cloudformation").describe_stacks()["Stacks"]]


def parameters() -> dict[str, str]:
    stack = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    return {pair["ParameterKey"]: pair["ParameterValue"] for pair in stack["Parameters"]}


def test_setup_makes_two_queues_and_says_what_to_type_next(
    setup: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup("--yes") == 0
    queues = boto3.client("batch").describe_job_queues()["jobQueues"]
    assert {queue["jobQueueName"]: len(queue["computeEnvironmentOrder"]) for queue in queues} == {
        NAME: 2,
        f"{NAME}-ondemand": 1,
    }
    said = capsys.readouterr()
    assert "status  CREATE_COMPLETE" in said.out
    assert "aws batch submit-job" in said.out
    assert "Add Queue (AWS::Batch::JobQueue)" in said.err
    assert "python main.py images push" in said.err


def test_the_cost_is_said_before_anything_is_made(
    setup: Verb, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, "", "", "16", "", "", "no")
    assert setup() == 0
    said = capsys.readouterr().err
    assert "idle     no machine runs" in said
    assert "at most  16 vCPUs on Spot and 16 on demand" in said
    assert "nothing was changed" in said
    assert stack_names() == []


def test_answers_and_flags_become_parameters(setup: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "lab-bucket", "", "16", "", "", "yes")
    assert setup("--disk-type", "gp2") == 0
    assert parameters() | {"BucketName": "lab-bucket", "MaxvCpus": "16", "VolumeType": "gp2"} == parameters()


def test_a_second_setup_changes_nothing(setup: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    setup("--yes", "--max-vcpus", "8")
    capsys.readouterr()
    assert setup("--yes") == 0
    assert "nothing to change" in capsys.readouterr().err
    assert parameters()["MaxvCpus"] == "8"


def test_a_changed_flag_updates_the_stack_and_leaves_the_rest(setup: Verb) -> None:
    setup("--yes", "--max-vcpus", "8")
    assert setup("--yes", "--email", "lab@example.org") == 0
    assert (parameters()["MaxvCpus"], parameters()["NotifyEmail"]) == ("8", "lab@example.org")


def test_a_bucket_that_is_there_already_is_taken_and_not_made(setup: Verb) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    boto3.client("s3").create_bucket(Bucket="ours", CreateBucketConfiguration=where)  # type: ignore[arg-type]
    assert setup("--yes", "--bucket", "ours") == 0
    assert parameters()["CreateBucket"] == "no"


def test_nobody_at_the_terminal_is_told_to_use_flags(setup: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    with pytest.raises(InputError, match="--yes"):
        setup()


def test_print_writes_the_template_without_an_account(
    setup: Verb, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert setup("--print") == 0
    assert capsys.readouterr().out == template()


def test_show_of_no_stack_says_how_to_make_one(setup: Verb) -> None:
    with pytest.raises(InputError, match="setup --stack absent"):
        setup("--show", "--stack", "absent")


def test_teardown_deletes_the_stack_and_keeps_the_bucket(
    setup: Verb, teardown: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    setup("--yes", *default_vpc())
    capsys.readouterr()
    assert teardown("--yes") == 0
    assert stack_names() == []
    assert f"left: the bucket s3://{BUCKET}" in capsys.readouterr().err


def test_teardown_deletes_a_bucket_that_is_named_with_all_that_is_in_it(setup: Verb, teardown: Verb) -> None:
    setup("--yes", *default_vpc())
    s3 = boto3.client("s3")
    s3.put_object(Bucket=BUCKET, Key="input/a.bam", Body=b"")
    assert teardown("--yes", "--delete-bucket", BUCKET) == 0
    assert s3.list_buckets()["Buckets"] == []


def test_teardown_refuses_to_delete_another_bucket(setup: Verb, teardown: Verb) -> None:
    setup("--yes", *default_vpc())
    with pytest.raises(InputError, match="not the stack's bucket"):
        teardown("--yes", "--delete-bucket", "thesis")
    assert stack_names() == [NAME]


def test_teardown_asks_first(setup: Verb, teardown: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    setup("--yes", *default_vpc())
    answers(monkeypatch, "no")
    assert teardown() == 0
    assert stack_names() == [NAME]


def test_teardown_deregisters_only_the_stacks_own_definitions(setup: Verb, teardown: Verb) -> None:
    setup("--yes", *default_vpc())
    stack = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    role = next(pair["OutputValue"] for pair in stack["Outputs"] if pair["OutputKey"] == "JobRoleArn")
    batch = boto3.client("batch")
    for name, job_role in (("ours", role), ("theirs", "arn:aws:iam::123456789012:role/other")):
        properties = {"image": "base", "jobRoleArn": job_role, "vcpus": 1, "memory": 128}
        batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            containerProperties=properties,  # type: ignore[arg-type]
        )
    assert teardown("--yes") == 0
    active = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert [definition["jobDefinitionName"] for definition in active] == ["theirs"]


def test_a_second_teardown_has_nothing_to_do(teardown: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert teardown("--yes") == 0
    assert "nothing to delete" in capsys.readouterr().err
