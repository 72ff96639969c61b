"""What `status --json` gives: a head of counts, and each sample with every step."""

from __future__ import annotations

from pathlib import Path

from pipeline.follow.document import glance, per_sample_steps, samples, summarise
from pipeline.follow.progress import Progress
from pipeline.follow.survey import Survey
from pipeline.model.entry import ONCE, Entry
from pipeline.model.run import JobRecord, SubmittedJob
from pipeline.model.status import RunState, Status
from tests.pipeline.lab import plan_run


def entry(sample: str, step: str = "a", status: Status = Status.SUCCEEDED) -> Entry:
    return Entry(sample=sample, step=step, status=status)


def test_a_document_has_the_members_that_other_programs_rely_on(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    job = SubmittedJob(job_id="A", job_name="toy-1-a", size=2, first_row=0)
    records = {"a": JobRecord(step="a", jobs=(job,))}
    document = summarise(
        run, records, Survey([entry("s0")]), RunState.RUNNING, {"SubmitJob": 1, "DescribeJobs": 2}
    )
    assert {"run", "uri", "pipeline", "queue", "state", "steps", "api_calls"} <= document.keys()
    assert document["state"] == "RUNNING"
    assert document["api_calls"] == {"DescribeJobs": 2, "SubmitJob": 1}
    step = document["steps"][1]
    assert {name: step[name] for name in ("name", "job_ids", "size", "counts")} == {
        "name": "a",
        "job_ids": ["A"],
        "size": 2,
        "counts": {"SUCCEEDED": 1, "FAILED": 0},
    }


def test_a_glance_shows_of_the_states_those_that_some_child_is_in_and_the_two_ends(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    counts = {Status.RUNNING: 1, Status.RUNNABLE: 0, Status.SUCCEEDED: 1, Status.FAILED: 0}
    document = glance(run, {}, {"a": Progress(counts, 2, has_ended=False)}, RunState.RUNNING, {})
    shown = {step["name"]: step["counts"] for step in document["steps"]}
    assert shown["a"] == {"RUNNING": 1, "SUCCEEDED": 1, "FAILED": 0}
    assert shown["b"] == {"SUCCEEDED": 0, "FAILED": 0}


def test_what_the_run_had_no_child_for_stood_before_it() -> None:
    found = list(samples(["s0", "s1"], ["a", "b"], [entry("s1", "b", Status.FAILED)]))
    assert [one["sample"] for one in found] == ["s0", "s1"]
    assert found[0]["steps"]["a"]["reason"] == "unchanged: done before this run"
    assert found[1]["steps"]["a"]["status"] == "SUCCEEDED"
    assert found[1]["steps"]["b"]["status"] == "FAILED"


def test_what_runs_once_is_no_sample(tmp_path: Path) -> None:
    found = list(samples(["s0"], ["a"], [entry("s0"), entry(ONCE, "all")]))
    assert [one["sample"] for one in found] == ["s0"]
    assert per_sample_steps(plan_run(tmp_path, 2)) == ["a", "b"]


def test_samples_are_taken_one_after_the_other() -> None:
    taken: list[str] = []

    def names() -> list[str]:
        return [f"s{number}" for number in range(1000)]

    def entries() -> object:
        for name in names():
            taken.append(name)
            yield entry(name)

    found = samples(names(), ["a"], entries())  # type: ignore[arg-type]
    next(found)
    assert len(taken) <= 2
