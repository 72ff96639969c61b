"""The matrix of ends: the root cause is told apart from what was skipped because of it."""

from pathlib import Path
from typing import Any

from pipeline.ledger import Entry, child_ids, count, failed_samples, make_matrix
from pipeline.run import Run
from tests.pipeline.test_jobs import plan_run

ENDED = "Essential container in task exited"


def job(job_id: str, status: str, **container: Any) -> dict[str, Any]:
    attempts: list[Any] = [{}] if status != "PENDING" else []
    return {
        "jobId": job_id,
        "status": status,
        "statusReason": ENDED,
        "container": container,
        "attempts": attempts,
        "startedAt": 1000,
        "stoppedAt": 3100,
    }


def skipped(job_id: str) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "status": "FAILED",
        "statusReason": "Dependent Job failed",
        "container": {},
        "attempts": [],
    }


def matrix_of(
    run: Run, jobs: list[dict[str, Any]], failures: dict[tuple[str, str], Any] | None = None
) -> Any:
    children = {
        "index": {"I": "-"},
        "a": {"A:0": "s0", "A:1": "s1"},
        "b": {"B:0": "s0", "B:1": "s1"},
        "all": {"G": "-"},
    }
    return make_matrix(run, children, jobs, failures or {})


def test_a_failure_is_the_cause_and_what_waited_for_it_is_skipped(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    matrix = matrix_of(
        run,
        [
            job("I", "SUCCEEDED", exitCode=0),
            job("A:0", "SUCCEEDED", exitCode=0),
            job("A:1", "FAILED", exitCode=65),
            job("B:0", "SUCCEEDED", exitCode=0),
            skipped("B:1"),
            skipped("G"),
        ],
        {("a", "s1"): {"job_id": "A:1", "reason": "input/s1.txt is truncated"}},
    )
    assert matrix["a"]["s1"].reason == "input/s1.txt is truncated"
    assert matrix["a"]["s0"] == Entry("SUCCEEDED", 1, 0, None, 2.1, None)
    assert (matrix["b"]["s1"].status, matrix["b"]["s1"].reason) == ("SKIPPED", "skipped because a failed")
    assert (matrix["all"]["-"].status, matrix["all"]["-"].reason) == ("SKIPPED", "skipped because a failed")
    assert failed_samples(run, matrix) == ["s1"]
    assert count(matrix["b"].values()) == {"SUCCEEDED": 1, "FAILED": 0, "SKIPPED": 1}


def test_a_record_of_an_earlier_attempt_is_not_the_reason_of_this_job(tmp_path: Path) -> None:
    matrix = matrix_of(
        plan_run(tmp_path, 2),
        [job("A:1", "FAILED", exitCode=3)],
        {("a", "s1"): {"job_id": "old", "reason": "old"}},
    )
    assert matrix["a"]["s1"].reason == "exit code 3"


def test_a_killed_child_is_said_to_be_out_of_memory_with_what_it_had(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    told = job("A:0", "FAILED", exitCode=137, reason="OutOfMemoryError: Container killed due to memory usage")
    matrix = matrix_of(run, [told, job("A:1", "FAILED", exitCode=137)])
    assert matrix["a"]["s0"].reason == "out of memory: memory_mib was 2048"
    assert matrix["a"]["s1"].reason == "killed, likely out of memory: memory_mib was 2048"


def test_a_job_that_batch_has_forgotten_is_unknown(tmp_path: Path) -> None:
    assert matrix_of(plan_run(tmp_path, 2), [])["a"]["s0"].status == "UNKNOWN"


def test_child_i_of_a_shard_is_its_first_row_plus_i(tmp_path: Path) -> None:
    step = next(step for step in plan_run(tmp_path, 4).steps if step.name == "a")
    record = {
        "jobs": [{"job_id": "X", "size": 2, "first_row": 0}, {"job_id": "Y", "size": 2, "first_row": 2}]
    }
    assert child_ids(step, record, ["p", "q", "r", "s"]) == {"X:0": "p", "X:1": "q", "Y:0": "r", "Y:1": "s"}


def test_a_single_row_is_a_plain_job(tmp_path: Path) -> None:
    step = next(step for step in plan_run(tmp_path, 1).steps if step.name == "a")
    assert child_ids(step, {"jobs": [{"job_id": "X", "size": 1, "first_row": 0}]}, ["p"]) == {"X": "p"}
