"""Which job waits for which, and what a failure does to those that wait. Conformance checks 9-12, 14, 15."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local_batch.conftest import Local


def test_a_job_waits_for_the_one_before_it(local: Local) -> None:
    first = local.submit("sleep 0.5")
    second = local.submit("exit 0", dependsOn=local.after(first))
    assert local.status(second) == "PENDING"
    job = local.wait(second)
    assert job["status"] == "SUCCEEDED"
    assert job["startedAt"] >= local.job(first)["stoppedAt"]


def test_a_failure_fails_all_that_wait_for_it_and_nothing_of_them_runs(local: Local) -> None:
    first = local.submit("sleep 0.3; exit 1")
    second = local.submit("exit 0", dependsOn=local.after(first))
    third = local.submit("exit 0", dependsOn=local.after(second))
    for job in (local.wait(third), local.wait(second)):
        assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])
        assert "startedAt" not in job


def test_a_child_waits_only_for_its_own_counterpart(local: Local) -> None:
    first = local.submit('[ "$AWS_BATCH_JOB_ARRAY_INDEX" = 1 ] && exit 1; sleep 2', size=2)
    second = local.submit("exit 0", size=2, dependsOn=local.after(first, kind="N_TO_N"))
    local.wait(f"{second}:1", "FAILED")
    assert local.status(f"{first}:0") in ("RUNNABLE", "STARTING", "RUNNING")
    assert local.job(f"{second}:1")["statusReason"] == "Dependent Job failed"
    assert local.wait(second)["status"] == "FAILED"
    assert local.status(f"{second}:0") == "SUCCEEDED"
    assert local.status(first) == "FAILED"


def test_arrays_of_different_sizes_cannot_be_linked_child_to_child(quick: Local) -> None:
    first = quick.submit("sleep 1", size=3)
    plain = quick.submit("sleep 1")
    before = len(quick.host.engine.jobs)
    for upstream in (first, plain):
        with pytest.raises(ClientError, match="ClientException"):
            quick.submit("true", size=2, dependsOn=quick.after(upstream, kind="N_TO_N"))
    assert len(quick.host.engine.jobs) == before


def test_an_unknown_job_cannot_be_waited_for(quick: Local) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        quick.submit("true", dependsOn=quick.after("00000000-0000-4000-8000-000000000000"))
    assert not quick.host.engine.jobs


def test_21_dependencies_are_refused_in_aws_own_words(quick: Local) -> None:
    upstream = quick.submit("sleep 1")
    with pytest.raises(ClientError, match="Job cannot have more than 20 dependencies"):
        quick.submit("true", dependsOn=quick.after(*[upstream] * 21))


def test_a_sequential_array_may_wait_for_another_job_first(local: Local) -> None:
    gate = local.submit("sleep 0.4")
    parent = local.submit("sleep 0.1", size=3, dependsOn=[{"jobId": gate}, {"type": "SEQUENTIAL"}])
    local.wait(parent)
    jobs = [local.job(f"{parent}:{index}") for index in range(3)]
    assert local.job(gate)["stoppedAt"] <= jobs[0]["startedAt"]
    assert jobs[0]["stoppedAt"] <= jobs[1]["startedAt"]
    assert jobs[1]["stoppedAt"] <= jobs[2]["startedAt"]


def test_a_plain_job_waits_for_all_of_an_array(local: Local) -> None:
    parent = local.submit("sleep 0.$AWS_BATCH_JOB_ARRAY_INDEX", size=4)
    last = local.wait(local.submit("exit 0", dependsOn=local.after(parent)))
    assert last["startedAt"] >= max(local.job(f"{parent}:{index}")["stoppedAt"] for index in range(4))


def test_an_array_may_wait_for_a_whole_job_and_for_its_counterparts_at_once(local: Local) -> None:
    gate = local.submit("sleep 0.6")
    first = local.submit("exit 0", size=2)
    second = local.submit("exit 0", size=2, dependsOn=[{"jobId": gate}, {"jobId": first, "type": "N_TO_N"}])
    local.wait(second)
    for index in range(2):
        assert local.job(f"{second}:{index}")["startedAt"] >= local.job(gate)["stoppedAt"]


def test_a_job_may_wait_for_one_child_of_an_array(quick: Local) -> None:
    parent = quick.submit('[ "$AWS_BATCH_JOB_ARRAY_INDEX" = 0 ] || sleep 2', size=2)
    quick.wait(quick.submit("exit 0", dependsOn=quick.after(f"{parent}:0")))
    assert quick.status(f"{parent}:1") in ("STARTING", "RUNNING")


def test_a_dependency_that_is_over_counts_as_it_ended(local: Local) -> None:
    good, bad = local.submit("exit 0"), local.submit("exit 1")
    local.wait(good)
    local.wait(bad)
    assert local.wait(local.submit("exit 0", dependsOn=local.after(good)))["status"] == "SUCCEEDED"
    job = local.wait(local.submit("exit 0", dependsOn=local.after(bad)))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Dependent Job failed")


def test_the_sample_that_is_furthest_along_goes_first(quick: Local) -> None:
    quick.define("whole", vcpus=4)
    gate = quick.submit("sleep 0.5", jobDefinition="whole")
    first = quick.submit("exit 0", size=3, jobDefinition="whole", dependsOn=quick.after(gate))
    second = quick.submit(
        "exit 0", size=3, jobDefinition="whole", dependsOn=quick.after(first, kind="N_TO_N")
    )
    quick.wait(second)
    ends = [quick.job(f"{second}:{index}")["stoppedAt"] for index in range(3)]
    starts = [quick.job(f"{first}:{index}")["startedAt"] for index in range(3)]
    assert ends[0] <= starts[1]
    assert ends[1] <= starts[2]
