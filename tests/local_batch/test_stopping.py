"""CancelJob, TerminateJob and their bulk forms. Conformance checks 16-19."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_batch.clock import HandClock
from tests.local_batch.conftest import Local
from tests.waiting import wait_until


def test_a_terminated_job_fails_with_the_given_reason_and_is_not_retried(local: Local) -> None:
    local.define("tidy", linuxParameters={"initProcessEnabled": True})
    job_id = local.submit("sleep 300", jobDefinition="tidy", retryStrategy={"attempts": 5})
    local.wait(job_id, "RUNNING")
    local.batch.terminate_job(jobId=job_id, reason="enough")
    job = local.wait(job_id)
    assert (job["status"], job["statusReason"], job["isTerminated"]) == ("FAILED", "enough", True)
    assert [attempt["statusReason"] for attempt in job["attempts"]] == ["enough"]
    assert job["container"]["exitCode"] in (143, 137)


def test_a_job_that_ignores_the_first_signal_is_killed_after_30_seconds(
    timed: Local, hand_clock: HandClock
) -> None:
    job_id = timed.submit("trap '' TERM; echo deaf; while :; do sleep 0.1; done")
    timed.wait(job_id, "RUNNING")
    stream = timed.job(job_id)["container"]["logStreamName"]
    path = Path(timed.host.logs.file("/aws/batch/job", stream))
    wait_until(path.read_text)
    timed.batch.terminate_job(jobId=job_id, reason="enough")
    hand_clock.advance(29)
    assert timed.status(job_id) == "RUNNING"
    hand_clock.advance(1)
    assert timed.wait(job_id)["container"]["exitCode"] == 137


def test_cancelling_what_runs_changes_nothing(local: Local) -> None:
    job_id = local.submit("sleep 0.5")
    before = local.wait(job_id, "RUNNING")
    local.batch.cancel_job(jobId=job_id, reason="too late")
    assert local.job(job_id)["isCancelled"] == before["isCancelled"]
    assert local.wait(job_id)["status"] == "SUCCEEDED"


def test_a_cancelled_runnable_job_fails_with_the_given_reason(local: Local) -> None:
    local.define("whole", vcpus=4)
    first = local.submit("sleep 1", jobDefinition="whole")
    local.wait(first, "RUNNING")
    job_id = local.submit("exit 0", jobDefinition="whole")
    local.batch.cancel_job(jobId=job_id, reason="changed my mind")
    job = local.job(job_id)
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "changed my mind", [])
    assert job["isCancelled"]


@pytest.mark.parametrize("verb", ["cancel_job", "terminate_job"])
def test_a_pending_job_that_is_stopped_fails_no_later_than_its_dependency_ends(
    local: Local, verb: str
) -> None:
    first = local.submit("sleep 0.5")
    job_id = local.submit("exit 0", dependsOn=local.after(first))
    getattr(local.batch, verb)(jobId=job_id, reason="no more")
    job = local.job(job_id)
    assert job["isCancelled"] or job["isTerminated"]
    local.wait(first)
    assert (local.status(job_id), local.job(job_id)["statusReason"]) == ("FAILED", "no more")


def test_terminating_what_is_over_changes_nothing(local: Local) -> None:
    job_id = local.submit("exit 0")
    before = local.wait(job_id)
    local.batch.terminate_job(jobId=job_id, reason="clean up")
    assert local.job(job_id) == before
    arn = before["jobDefinition"]
    local.batch.deregister_job_definition(jobDefinition=arn)
    (definition,) = local.batch.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
    assert definition["status"] == "INACTIVE"


def test_an_unknown_job_is_terminated_without_complaint(quick: Local) -> None:
    quick.batch.terminate_job(jobId="00000000-0000-4000-8000-000000000000", reason="clean up")


def test_terminating_a_parent_stops_its_children_and_leaves_the_finished_ones(local: Local) -> None:
    local.define("tidy", linuxParameters={"initProcessEnabled": True})
    parent = local.submit('[ "$AWS_BATCH_JOB_ARRAY_INDEX" = 0 ] || sleep 300', size=8, jobDefinition="tidy")
    local.wait(f"{parent}:0", "SUCCEEDED")
    local.wait(f"{parent}:1", "RUNNING")
    local.batch.terminate_job(jobId=parent, reason="stop")
    assert local.wait(parent)["status"] == "FAILED"
    children = [local.job(f"{parent}:{index}") for index in range(8)]
    assert children[0]["status"] == "SUCCEEDED"
    assert {(child["status"], child["statusReason"]) for child in children[1:]} == {("FAILED", "stop")}


def test_terminating_one_child_leaves_its_siblings(local: Local) -> None:
    parent = local.submit("sleep 0.5", size=3)
    local.wait(f"{parent}:1", "RUNNING")
    local.batch.terminate_job(jobId=f"{parent}:1", reason="only this")
    job = local.wait(parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Array Child Job failed")
    assert [local.status(f"{parent}:{index}") for index in range(3)] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


@pytest.mark.parametrize("verb", ["cancel_jobs", "terminate_jobs"])
def test_up_to_50_jobs_are_stopped_in_one_call_and_unknown_ones_count_as_done(
    quick: Local, verb: str
) -> None:
    gate = quick.submit("sleep 1")
    ids = [quick.submit("exit 0", dependsOn=quick.after(gate)) for _ in range(3)]
    answer = getattr(quick.batch, verb)(jobs=[*ids, "unknown"], reason="all")
    assert answer["successful"] == [*ids, "unknown"]
    assert answer["errors"] == []
    assert {quick.status(job_id) for job_id in ids} == {"FAILED"}
    with pytest.raises(ClientError):
        getattr(quick.batch, verb)(jobs=["x"] * 51, reason="all")


def test_a_reason_is_required_and_may_not_be_empty(quick: Local) -> None:
    with pytest.raises(ClientError, match="'reason' is a required field"):
        quick.batch.terminate_job(jobId=quick.submit("true"), reason="")
