"""The Batch that runs nothing answers as AWS does, so that what stands on it is tested for what AWS says."""

from __future__ import annotations

import inspect
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from pipeline.cloud.batch import Batch
from pipeline.cloud.stub_batch import StubBatch, refusal, throttled
from pipeline.cloud.stub_jobs import End
from pipeline.model.status import Status

SEVEN = {"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"}
NO_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


def submit(batch: StubBatch, name: str, size: int = 1, *after: str | tuple[str, str]) -> str:
    """The id of an array, or of a plain job; `after` are ids, each alone or with a type."""
    depends_on = [
        {"jobId": one} if isinstance(one, str) else {"jobId": one[0], "type": one[1]} for one in after
    ]
    array = {"arrayProperties": {"size": size}} if size > 1 else {}
    return batch.submit(
        {"jobName": name, "jobQueue": "stub", "jobDefinition": "d", "dependsOn": depends_on, **array}
    )


def detail(batch: StubBatch, job_id: str) -> dict[str, Any]:
    [found] = batch.describe([job_id])
    return dict(found)


def states(batch: StubBatch, job_id: str, size: int) -> list[str]:
    return [job["status"] for job in batch.describe(f"{job_id}:{index}" for index in range(size))]


def test_it_is_a_door_with_every_method_of_the_real_one() -> None:
    for name, method in inspect.getmembers(Batch, inspect.isfunction):
        if not name.startswith("_"):
            ours = getattr(StubBatch, name)
            assert ours is not method, name
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(method).parameters)


def test_a_job_is_in_the_queue_once_by_its_name() -> None:
    batch = StubBatch()
    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(lambda _: submit(batch, "run-a", 3), range(8)))
    assert len(ids) == 1
    assert batch.calls["SubmitJob"] == len(batch.requests) == 1
    assert batch.find("stub", "run-a") in ids
    assert batch.find("stub", "run") is None
    assert batch.find("other", "run-a") is None


def test_a_parent_shows_the_number_of_its_children_in_each_of_the_seven_states() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 4)
    batch.end(f"{array}:0")
    batch.put(f"{array}:1", Status.RUNNING)
    parent = detail(batch, array)
    assert parent["arrayProperties"]["size"] == 4
    assert set(parent["arrayProperties"]["statusSummary"]) == SEVEN
    assert {
        state: number for state, number in parent["arrayProperties"]["statusSummary"].items() if number
    } == {"RUNNABLE": 2, "RUNNING": 1, "SUCCEEDED": 1}
    assert parent["status"] == "PENDING"
    assert parent["attempts"] == []
    assert "stoppedAt" not in parent


def test_a_child_shows_its_index_and_no_size() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 4)
    assert detail(batch, f"{array}:3")["arrayProperties"] == {"index": 3, "statusSummary": {}}
    assert detail(batch, f"{array}:3")["jobName"] == "a"
    assert "arrayProperties" not in detail(batch, submit(batch, "plain"))


def test_an_array_failed_when_all_its_children_ended_and_one_failed() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 2)
    batch.end(f"{array}:0", 1)
    assert detail(batch, array)["status"] == "PENDING"
    batch.end(f"{array}:1")
    assert (detail(batch, array)["status"], detail(batch, array)["statusReason"]) == (
        "FAILED",
        "Array Child Job failed",
    )


def test_child_waits_for_child_and_fails_with_it() -> None:
    batch = StubBatch()
    a = submit(batch, "a", 3)
    b = submit(batch, "b", 3, (a, "N_TO_N"))
    batch.end(f"{a}:0")
    batch.end(f"{a}:1", 1)
    assert states(batch, b, 3) == ["RUNNABLE", "FAILED", "PENDING"]
    skipped = detail(batch, f"{b}:1")
    assert (skipped["statusReason"], skipped["attempts"]) == ("Dependent Job failed", [])
    assert "exitCode" not in skipped["container"]
    assert "startedAt" not in skipped


def test_anything_else_waits_for_the_whole_of_each_job() -> None:
    batch = StubBatch()
    a, plain = submit(batch, "a", 2), submit(batch, "plain")
    b = submit(batch, "b", 2, (a, "N_TO_N"), plain)
    everything = submit(batch, "all", 1, b)
    batch.end(f"{a}:0")
    assert states(batch, b, 2) == ["PENDING", "PENDING"]
    batch.end(plain)
    assert states(batch, b, 2) == ["RUNNABLE", "PENDING"]
    batch.run_all()
    assert detail(batch, everything)["status"] == "SUCCEEDED"


def test_failures_cascade_to_the_end() -> None:
    batch = StubBatch()
    a = submit(batch, "a", 2)
    b = submit(batch, "b", 2, (a, "N_TO_N"))
    everything = submit(batch, "all", 1, b)
    ran: list[tuple[str, int]] = []

    def outcome(name: str, index: int) -> int:
        ran.append((name, index))
        return 1 if (name, index) == ("a", 1) else 0

    batch.run_all(outcome)
    assert ran == [("a", 0), ("a", 1), ("b", 0)]
    assert detail(batch, everything)["statusReason"] == "Dependent Job failed"


def test_a_dependency_that_ended_before_the_submit_counts() -> None:
    batch = StubBatch()
    good, bad = submit(batch, "good"), submit(batch, "bad")
    batch.end(good)
    batch.end(bad, 1)
    assert detail(batch, submit(batch, "after-good", 1, good))["status"] == "RUNNABLE"
    assert detail(batch, submit(batch, "after-bad", 1, bad))["status"] == "FAILED"


def test_an_end_shows_as_attempts_and_as_the_last_ones_container() -> None:
    batch = StubBatch()
    job = submit(batch, "a")
    batch.end(job, End(exit_code=137, reason=NO_MEMORY, attempts=2))
    found = detail(batch, job)
    assert found["status"] == "FAILED"
    assert [one["container"]["exitCode"] for one in found["attempts"]] == [137, 137]
    assert found["container"]["reason"] == NO_MEMORY
    assert found["container"]["logStreamName"] == found["attempts"][-1]["container"]["logStreamName"]
    assert found["attempts"][0]["container"]["logStreamName"] != found["container"]["logStreamName"]
    assert found["startedAt"] < found["stoppedAt"]


def test_while_the_first_attempt_runs_there_are_no_attempts_and_its_log_has_a_name() -> None:
    batch = StubBatch()
    job = submit(batch, "a")
    batch.run_all(lambda _name, _index: None)
    found = detail(batch, job)
    assert (found["status"], found["attempts"]) == ("RUNNING", [])
    assert found["container"]["logStreamName"].startswith("d/default/")


def test_what_it_shows_are_members_that_aws_has() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 2)
    batch.end(f"{array}:0", End(exit_code=1, attempts=2))
    model = Session().get_service_model("batch")
    job = model.shape_for("JobDetail")
    for shown in batch.describe([array, f"{array}:0"]):
        assert set(shown) <= set(job.members)  # type: ignore[attr-defined]
        assert set(shown["container"]) <= set(model.shape_for("ContainerDetail").members)  # type: ignore[attr-defined]
    [child] = batch.failed_children(array)
    assert set(child) <= set(model.shape_for("JobSummary").members)  # type: ignore[attr-defined]
    for attempt in detail(batch, f"{array}:0")["attempts"]:
        assert set(attempt) <= set(model.shape_for("AttemptDetail").members)  # type: ignore[attr-defined]


def test_the_failed_children_of_an_array_are_listed() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 4)
    batch.run_all(lambda _name, index: index % 2)
    assert [job["jobId"] for job in batch.failed_children(array)] == [f"{array}:1", f"{array}:3"]
    assert list(batch.failed_children(submit(batch, "plain"))) == []


def test_a_terminated_job_ends_with_the_reason_that_was_given_and_what_ended_before_keeps_its_end() -> None:
    batch = StubBatch()
    array = submit(batch, "a", 3)
    batch.end(f"{array}:0")
    batch.put(f"{array}:1", Status.RUNNING)
    batch.terminate(array, "enough")
    assert states(batch, array, 3) == ["SUCCEEDED", "FAILED", "FAILED"]
    running, ready = detail(batch, f"{array}:1"), detail(batch, f"{array}:2")
    assert (running["statusReason"], running["container"]["exitCode"]) == ("enough", 137)
    assert (ready["statusReason"], ready["attempts"]) == ("enough", [])
    batch.terminate(array, "again")
    assert detail(batch, f"{array}:1")["statusReason"] == "enough"


def test_a_terminated_job_that_waits_ends_when_what_it_waits_for_has() -> None:
    batch = StubBatch()
    a = submit(batch, "a")
    b = submit(batch, "b", 1, a)
    batch.terminate(b, "enough")
    assert detail(batch, b)["status"] == "PENDING"
    batch.end(a)
    assert (detail(batch, b)["status"], detail(batch, b)["statusReason"]) == ("FAILED", "enough")


def test_a_forgotten_job_is_left_out_without_an_error() -> None:
    batch = StubBatch()
    array, other = submit(batch, "a", 2), submit(batch, "b")
    batch.run_all()
    batch.forget(array)
    assert [job["jobId"] for job in batch.describe([array, f"{array}:0", other])] == [other]
    assert batch.find("stub", "a") is None
    assert list(batch.failed_children(array)) == []


def test_a_storm_is_as_long_as_it_is_told() -> None:
    batch = StubBatch()
    batch.storm("describe", throttled("DescribeJobs"), times=2)
    for _ in range(2):
        with pytest.raises(ClientError, match="Too Many Requests"):
            list(batch.describe(["a"]))
    assert list(batch.describe(["a"])) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"arrayProperties": {"size": 1}}, "Array size"),
        ({"arrayProperties": {"size": 10_001}}, "Array size"),
        ({"jobName": "é"}, "Job name should match valid pattern"),
        ({"jobQueue": "other"}, "JobQueue other not found"),
        ({"dependsOn": [{"jobId": "nobody"}]}, "does not exist"),
        ({"dependsOn": [{"jobId": "x"}] * 21}, "Job cannot have more than 20 dependencies"),
    ],
)
def test_a_request_that_aws_refuses_is_refused(change: dict[str, Any], told: str) -> None:
    batch = StubBatch()
    with pytest.raises(ClientError, match=told):
        batch.submit({"jobName": "a", "jobQueue": "stub", "jobDefinition": "d", **change})
    assert batch.requests == []


def test_a_definition_is_registered_once_and_gone_when_it_is_deregistered() -> None:
    batch = StubBatch()
    assert batch.register({"jobDefinitionName": "d", "tags": {"step": "a"}})
    assert not batch.register({"jobDefinitionName": "d"})
    [found] = batch.definitions()
    assert found["tags"] == {"step": "a"}
    batch.deregister(found["jobDefinitionArn"])
    assert list(batch.definitions()) == []


def test_its_queue_is_known_by_name_and_arn_and_no_other_is() -> None:
    batch = StubBatch("big", region="eu-west-1", account="999999999999")
    found = batch.queue("big")
    assert found is not None
    assert found["jobQueueArn"] == "arn:aws:batch:eu-west-1:999999999999:job-queue/big"
    assert batch.queue(found["jobQueueArn"]) == found
    assert batch.queue("small") is None
    [environment] = batch.compute_environments([found["computeEnvironmentOrder"][0]["computeEnvironment"]])
    assert environment["computeResources"]["maxvCpus"] > 0


def test_the_head_of_the_queue_is_the_first_job_that_is_ready() -> None:
    batch = StubBatch()
    assert batch.head_of_queue("stub") is None
    a = submit(batch, "a", 2)
    batch.end(f"{a}:0")
    head = batch.head_of_queue("stub")
    assert head is not None
    assert head.endswith(f"job/{a}:1")


def test_why_a_job_waits_is_what_a_test_says() -> None:
    batch = StubBatch()
    job = submit(batch, "a")
    assert batch.waiting_reason(job) == ""
    batch.explain(job, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    assert batch.waiting_reason(job) == "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"


def test_slots_are_there_until_they_are_let_go() -> None:
    batch = StubBatch()
    batch.create_slots("run", 3)
    batch.storm("delete_slots", refusal(400, "ClientException"))
    assert not batch.delete_slots("run")
    assert batch.slots == {"run": 3}
    assert batch.delete_slots("run")
    assert batch.slots == {}


def test_ten_thousand_children_in_three_arrays_take_less_than_a_mebibyte() -> None:
    tracemalloc.start()
    try:
        batch = StubBatch()
        a = submit(batch, "a", 10_000)
        b = submit(batch, "b", 10_000, (a, "N_TO_N"))
        submit(batch, "c", 10_000, (b, "N_TO_N"))
        batch.run_all(lambda _name, index: int(index == 5))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2**20
