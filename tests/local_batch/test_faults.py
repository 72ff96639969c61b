"""Faults on demand, as a client of AWS meets them, and the event log."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_batch.events import read_events
from local_batch.fault_api import inject
from tests.local_batch.conftest import Local


def fault(local: Local, name: str, **members: Any) -> dict[str, Any]:
    """Cause a fault."""
    return inject(local.host, {"fault": name, **members})


def test_throttled_calls_get_429_and_a_client_that_retries_survives_a_tenth_of_them(quick: Local) -> None:
    quick.define()
    fault(quick, "throttle", share=1.0, operations=["SubmitJob"])
    with pytest.raises(ClientError) as refused:
        quick.submit("true")
    assert refused.value.response["Error"] == {
        "Code": "TooManyRequestsException",
        "Message": "Too Many Requests",
    }
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    fault(quick, "throttle", share=0.1)
    quick.batch = quick.client("batch", config=Config(retries={"mode": "standard", "total_max_attempts": 8}))
    ids = [quick.submit("true") for _ in range(30)]
    assert len(set(ids)) == 30
    fault(quick, "clear")


def test_a_reclaimed_job_is_a_lost_host(local: Local) -> None:
    job_id = local.submit("sleep 300")
    local.wait(job_id, "RUNNING")
    assert fault(local, "reclaim", jobs=[job_id]) == {"jobs": [job_id]}
    job = local.wait(job_id)
    assert job["statusReason"].startswith("Host EC2 (instance i-")
    assert "exitCode" not in job["container"]


def test_a_forgotten_job_is_left_out_like_one_that_never_was(quick: Local) -> None:
    job_id = quick.submit("echo x")
    quick.wait(job_id)
    assert fault(quick, "forget", jobs=[job_id]) == {"jobs": [job_id]}
    assert quick.batch.describe_jobs(jobs=[job_id])["jobs"] == []


def test_an_image_that_cannot_be_pulled_fails_the_attempt_before_it_starts(quick: Local) -> None:
    fault(quick, "image-pull", image="debian:bookworm-slim")
    job = quick.wait(quick.submit("true"))
    assert job["statusReason"] == "Task failed to start"
    assert job["container"]["reason"].startswith("CannotPullContainerError: ")
    assert "startedAt" not in job


def test_every_change_of_state_is_an_event_in_aws_own_form(local: Local) -> None:
    job_id = local.submit("exit 0", tags={"a": "b"})
    job = local.wait(job_id)
    events = [event for event in read_events(local.home.events) if event["detail"]["jobId"] == job_id]
    assert [event["detail"]["status"] for event in events] == ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    last = events[-1]
    assert (last["source"], last["detail-type"]) == ("aws.batch", "Batch Job State Change")
    assert last["resources"] == [job["jobArn"]]
    job.pop("ResponseMetadata", None)
    assert last["detail"] == job
