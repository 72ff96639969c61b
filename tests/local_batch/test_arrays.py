"""Array jobs, their children and their parents. Conformance checks 5-8, 13."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_batch.events import read_events
from tests.local_batch.conftest import Local

ALL_STATES = {"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"}


@pytest.mark.parametrize("size", [0, 1, 10_001])
def test_an_array_is_not_smaller_than_2_nor_larger_than_10_000(quick: Local, size: int) -> None:
    with pytest.raises(ClientError) as refused:
        quick.submit("true", size=size)
    assert refused.value.response["Error"]["Code"] == "ClientException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("size", [2, 10_000])
def test_an_array_of_2_and_one_of_10_000_are_taken(quick: Local, size: int) -> None:
    parent = quick.submit("sleep 300", size=size)
    assert quick.job(parent)["arrayProperties"]["size"] == size
    assert quick.job(f"{parent}:{size - 1}")["arrayProperties"] == {"index": size - 1, "statusSummary": {}}
    quick.batch.terminate_job(jobId=parent, reason="seen")
    quick.wait(parent)


def test_children_know_their_place_and_the_parent_never_runs(local: Local) -> None:
    script = "echo $AWS_BATCH_JOB_ID $AWS_BATCH_JOB_ARRAY_INDEX $AWS_BATCH_JOB_ARRAY_SIZE"
    parent = local.submit(script, size=3)
    job = local.wait(parent)
    details = [event["detail"] for event in read_events(local.home.events)]
    assert {each["status"] for each in details if each["jobId"] == parent} == {"PENDING", "SUCCEEDED"}
    assert job["status"] == "SUCCEEDED"
    summary = job["arrayProperties"]["statusSummary"]
    assert set(summary) == ALL_STATES
    assert summary["SUCCEEDED"] == 3
    for index in range(3):
        assert local.log(f"{parent}:{index}") == [f"{parent}:{index} {index} 3"]


def test_one_failed_child_fails_the_parent_once_all_have_ended(local: Local) -> None:
    gate = local.home.folder / "gate"
    script = f'[ "$AWS_BATCH_JOB_ARRAY_INDEX" != 1 ] || exit 1; while [ ! -e {gate} ]; do sleep 0.05; done'
    if local.runner == "container":
        script = '[ "$AWS_BATCH_JOB_ARRAY_INDEX" != 1 ] || exit 1; sleep 2'
    parent = local.submit(script, size=3)
    local.wait(f"{parent}:1", "FAILED")
    assert local.status(parent) == "PENDING"
    gate.touch()
    job = local.wait(parent)
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Array Child Job failed", [])
    assert [local.status(f"{parent}:{index}") for index in range(3)] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_each_child_retries_by_itself(local: Local) -> None:
    script = (
        'echo $AWS_BATCH_JOB_ATTEMPT; [ "$AWS_BATCH_JOB_ARRAY_INDEX$AWS_BATCH_JOB_ATTEMPT" != 01 ] || exit 1'
    )
    parent = local.submit(script, size=2, retryStrategy={"attempts": 2})
    assert local.wait(parent)["status"] == "SUCCEEDED"
    assert [len(local.job(f"{parent}:{index}")["attempts"]) for index in (0, 1)] == [2, 1]
    assert local.log(f"{parent}:0") == ["2"]


def test_a_sequential_array_runs_one_child_at_a_time_in_order(local: Local) -> None:
    parent = local.submit("sleep 0.1", size=3, dependsOn=[{"type": "SEQUENTIAL"}])
    local.wait(parent)
    jobs = [local.job(f"{parent}:{index}") for index in range(3)]
    assert [job["status"] for job in jobs] == ["SUCCEEDED"] * 3
    assert jobs[0]["stoppedAt"] <= jobs[1]["startedAt"] <= jobs[1]["stoppedAt"] <= jobs[2]["startedAt"]


def test_in_a_sequential_array_what_follows_a_failure_never_starts(local: Local) -> None:
    parent = local.submit("exit 1", size=3, dependsOn=[{"type": "SEQUENTIAL"}])
    local.wait(parent)
    for index in (1, 2):
        job = local.job(f"{parent}:{index}")
        assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])
        assert "startedAt" not in job


def test_a_parent_s_record_has_neither_times_nor_a_log_of_its_own(quick: Local) -> None:
    parent = quick.submit("true", size=2)
    job = quick.wait(parent)
    assert "startedAt" not in job
    assert "stoppedAt" not in job
    assert "logStreamName" not in job["container"]
