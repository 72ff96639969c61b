"""How far a run is, from its parents alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cloud.stub_batch import StubBatch
from pipeline.follow.progress import FORGOTTEN_AFTER, Progress, describe_progress, has_ended, watch
from pipeline.model.run import JobRecord, Run, SubmittedJob
from pipeline.model.status import Status
from tests.pipeline.lab import plan_run

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SOON = CREATED + timedelta(minutes=1)
SIZE = 8


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return plan_run(tmp_path, SIZE)


@pytest.fixture
def batch() -> StubBatch:
    batch = StubBatch()
    array = {
        "jobName": "toy-1-a",
        "jobQueue": "stub",
        "jobDefinition": "d",
        "arrayProperties": {"size": SIZE},
    }
    batch.submit(array)
    return batch


def records(batch: StubBatch) -> dict[str, JobRecord]:
    job = SubmittedJob(job_id=batch.id_of("toy-1-a"), job_name="toy-1-a", size=SIZE, first_row=0)
    return {"a": JobRecord(step="a", jobs=(job,)), "b": JobRecord(step="b", jobs=())}


def progress_of(run: Run, batch: StubBatch, now: datetime = SOON) -> Progress:
    return describe_progress(run, records(batch), batch, now)["a"]


def test_an_arrays_counts_are_its_parents_summary(run: Run, batch: StubBatch) -> None:
    array = batch.id_of("toy-1-a")
    for index in range(5):
        batch.end(f"{array}:{index}")
    batch.end(f"{array}:5", 1)
    for index in (6, 7):
        batch.put(f"{array}:{index}", Status.RUNNING)
    progress = progress_of(run, batch)
    assert str(progress) == "5 done, 1 failed, 2 running"
    assert progress.percentage == 75
    assert not progress.has_ended


def test_one_call_tells_of_any_number_of_children(run: Run, batch: StubBatch) -> None:
    progress_of(run, batch)
    assert batch.calls["DescribeJobs"] == 1


def test_a_step_of_which_nothing_has_to_run_has_ended(run: Run, batch: StubBatch) -> None:
    progress = describe_progress(run, records(batch), batch, SOON)["b"]
    assert progress.has_ended
    assert Progress({}, 0, has_ended=True).percentage == 100
    assert str(Progress({}, 0, has_ended=True)) == "nothing to do"


@pytest.mark.parametrize(
    ("age", "ended"),
    [
        (timedelta(0), False),
        (FORGOTTEN_AFTER, False),
        (FORGOTTEN_AFTER + timedelta(seconds=1), True),
    ],
)
def test_a_job_that_is_not_listed_has_ended_only_when_batch_may_have_forgotten_it(
    run: Run, batch: StubBatch, age: timedelta, ended: bool
) -> None:
    found = records(batch)
    batch.forget(batch.id_of("toy-1-a"))
    progress = describe_progress(run, found, batch, CREATED + age)["a"]
    assert progress.has_ended == ended
    assert progress.unlisted == 1


def test_ended_jobs_are_kept_for_seven_days() -> None:
    assert timedelta(days=7) == FORGOTTEN_AFTER


def sharded(batch: StubBatch) -> JobRecord:
    """Step a as two arrays of five and three children."""
    jobs = []
    for shard, (first_row, size) in enumerate([(0, 5), (5, 3)]):
        name = f"toy-1-a-{shard}"
        request = {"jobName": name, "jobQueue": "stub", "jobDefinition": "d"}
        job_id = batch.submit({**request, "arrayProperties": {"size": size}})
        jobs.append(SubmittedJob(job_id=job_id, job_name=name, size=size, first_row=first_row))
    return JobRecord(step="a", jobs=tuple(jobs))


def test_a_steps_counts_are_summed_over_its_arrays(run: Run) -> None:
    batch = StubBatch()
    record = sharded(batch)
    first, second = (job.job_id for job in record.jobs)
    for child in (f"{first}:0", f"{first}:4", f"{second}:2"):
        batch.end(child)
    batch.put(f"{second}:0", Status.STARTING)
    progress = describe_progress(run, {"a": record}, batch, SOON)["a"]
    assert progress == Progress(
        {
            Status.SUBMITTED: 0,
            Status.PENDING: 0,
            Status.RUNNABLE: 4,
            Status.STARTING: 1,
            Status.RUNNING: 0,
            Status.SUCCEEDED: 3,
            Status.FAILED: 0,
        },
        SIZE,
        has_ended=False,
        unlisted=0,
    )
    assert str(progress) == "3 done, 1 running, 4 waiting"


def test_a_step_has_ended_when_all_of_its_arrays_did(run: Run) -> None:
    batch = StubBatch()
    record = sharded(batch)
    ended = []
    for job in record.jobs:
        for index in range(job.size):
            batch.end(f"{job.job_id}:{index}")
        ended.append(describe_progress(run, {"a": record}, batch, SOON)["a"].has_ended)
    assert ended == [False, True]


def test_only_the_arrays_that_are_not_listed_are_counted_as_such(run: Run) -> None:
    batch = StubBatch()
    record = sharded(batch)
    batch.forget(record.jobs[1].job_id)
    progress = describe_progress(run, {"a": record}, batch, SOON)["a"]
    assert progress.unlisted == 1
    assert sum(progress.counts.values()) == 5


@pytest.mark.parametrize(
    "properties", [{}, {"arrayProperties": {}}, {"arrayProperties": {"statusSummary": {}}}]
)
def test_a_plain_job_counts_as_one_in_its_own_state(
    run: Run, batch: StubBatch, monkeypatch: pytest.MonkeyPatch, properties: dict[str, object]
) -> None:
    told = {"jobId": batch.id_of("toy-1-a"), "status": "FAILED", **properties}
    monkeypatch.setattr(batch, "describe", lambda _job_ids: iter([told]))
    progress = progress_of(run, batch)
    assert {status: number for status, number in progress.counts.items() if number} == {Status.FAILED: 1}
    assert progress.has_ended


def test_an_array_of_which_batch_has_no_summary_yet_counts_nothing(
    run: Run, batch: StubBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        "jobId": batch.id_of("toy-1-a"),
        "status": "SUBMITTED",
        "arrayProperties": {"size": SIZE},
    }
    monkeypatch.setattr(batch, "describe", lambda _job_ids: iter([told]))
    assert not any(progress_of(run, batch).counts.values())


def test_progress_leaves_out_what_no_child_is_and_counts_what_batch_does_not_tell_of_as_waiting() -> None:
    assert str(Progress({}, 3, has_ended=False)) == "3 waiting"
    every = dict.fromkeys(Status, 1)
    assert str(Progress(every, 10, has_ended=False)) == "1 done, 1 failed, 2 running, 6 waiting"


def test_a_step_counts_no_job_as_unlisted_unless_told() -> None:
    assert Progress({}, 1, has_ended=False).unlisted == 0


def test_a_run_has_ended_when_every_one_of_its_steps_was_submitted_and_ended(run: Run) -> None:
    done = Progress({Status.SUCCEEDED: SIZE}, SIZE, has_ended=True)
    on = Progress({Status.RUNNING: SIZE}, SIZE, has_ended=False)
    whole: Mapping[str, Progress] = dict.fromkeys(("index", "a", "b", "all"), done)
    assert has_ended(run, whole, is_cancelled=False)
    assert not has_ended(run, {**whole, "b": on}, is_cancelled=False)
    assert not has_ended(run, {"index": done, "a": done}, is_cancelled=False)
    assert has_ended(run, {"index": done, "a": done}, is_cancelled=True)
    assert not has_ended(run, {"index": done, "a": on}, is_cancelled=True)


def looks(*numbers_done: int) -> Iterator[dict[str, Progress]]:
    for done in numbers_done:
        counts = {Status.SUCCEEDED: done, Status.RUNNING: SIZE - done}
        yield {"a": Progress(counts, SIZE, has_ended=done == SIZE)}


def test_watching_goes_on_while_one_step_does() -> None:
    done, on = (Progress({}, SIZE, has_ended=ended) for ended in (True, False))
    found = iter([{"a": done, "b": on}, {"a": done, "b": done}])
    assert len(list(watch(lambda: next(found), poll_every_s=2, sleep=lambda _pause: None))) == 2


def test_watching_ends_when_every_job_did() -> None:
    pauses: list[float] = []
    found = looks(0, 4, 8)
    seen = list(watch(lambda: next(found), poll_every_s=2, sleep=pauses.append))
    assert [step["a"].finished for step in seen] == [0, 4, 8]
    assert len(pauses) == 2


def test_while_nothing_changes_it_is_asked_less_often_and_again_often_when_something_does() -> None:
    pauses: list[float] = []
    found = looks(*[0] * 8, 1, 8)
    list(watch(lambda: next(found), poll_every_s=2, sleep=pauses.append))
    assert pauses == [2, 3, 4.5, 6.75, 8, 8, 8, 8, 2]
