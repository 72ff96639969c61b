"""What `status --json` gives: a head of counts, and each sample with every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.follow.document import glance, per_sample_steps, samples, summarise
from pipeline.follow.progress import Progress
from pipeline.follow.survey import Survey
from pipeline.model.entry import ONCE, Entry
from pipeline.model.run import JobRecord, Run, SubmittedJob
from pipeline.model.status import RunState, Status
from tests.pipeline.lab import plan_run


def entry(sample: str, step: str = "a", status: Status = Status.SUCCEEDED) -> Entry:
    return Entry(sample=sample, step=step, status=status)


RECORDS = {
    "a": JobRecord(
        step="a",
        jobs=(
            SubmittedJob(job_id="A0", job_name="toy-1-a-0", size=1, first_row=0),
            SubmittedJob(job_id="A1", job_name="toy-1-a-1", size=1, first_row=1),
        ),
    )
}
CALLS = {"SubmitJob": 1, "DescribeJobs": 2}
HEAD = {
    "run": "toy-1",
    "uri": "s3://lab/runs/toy-1",
    "pipeline": "toy",
    "reference": "hg38",
    "queue": "stub",
    "state": "RUNNING",
    "closed_at": None,
}


def of_steps(run: Run, **more: Mapping[str, object]) -> list[dict[str, object]]:
    """What a document says of each step of the toy run, with `more` of each."""
    told: list[dict[str, object]] = [
        {"name": "index", "per": "reference", "output": "s3://lab/reference/hg38", "size": 1},
        {"name": "a", "per": "sample", "output": "s3://lab/results/toy/hg38/a", "size": 2},
        {"name": "b", "per": "sample", "output": "s3://lab/results/toy/hg38/b", "size": 2},
        {"name": "all", "per": "run", "output": run.step("all").output, "size": 1},
    ]
    shared: dict[str, object] = {"unchanged": 0, "job_ids": []}
    return [{**shared, **step, **more[str(step["name"])]} for step in told]


def test_a_summary_has_the_members_that_other_programs_rely_on(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    index = replace(entry(ONCE, "index"), log="d/default/0", reason="its success marker is there")
    failed = replace(entry("s1", "a", Status.FAILED), reason="exit code 3", exit_code=3)
    survey = Survey([index, entry("s0"), failed])
    none = {"SUCCEEDED": 0, "FAILED": 0}
    unknown = {"counts": none, "reason": None, "log": None}
    assert summarise(run, RECORDS, survey, RunState.RUNNING, CALLS) == {
        **HEAD,
        "steps": of_steps(
            run,
            index={
                "counts": {**none, "SUCCEEDED": 1},
                "reason": "its success marker is there",
                "log": "d/default/0",
            },
            a={**unknown, "counts": {"SUCCEEDED": 1, "FAILED": 1}, "job_ids": ["A0", "A1"]},
            b=unknown,
            all=unknown,
        ),
        "sample_counts": {"total": 2, "failed": 1},
        "failures": {"total": 1, "first": [{"sample": "s1", "step": "a", **failed.to_json()}]},
        "api_calls": CALLS,
    }


def test_a_glance_has_what_the_parents_alone_tell(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    progress = {"a": Progress({Status.SUCCEEDED: 2, Status.FAILED: 0}, 2, has_ended=True)}
    none: dict[str, object] = {"counts": {"SUCCEEDED": 0, "FAILED": 0}}
    steps: dict[str, dict[str, object]] = {
        "index": none,
        "a": {"counts": {"SUCCEEDED": 2, "FAILED": 0}, "job_ids": ["A0", "A1"]},
        "b": none,
        "all": none,
    }
    assert glance(run, RECORDS, progress, RunState.RUNNING, CALLS) == {
        **HEAD,
        "steps": of_steps(run, **steps),
        "sample_counts": {"total": 2},
        "api_calls": CALLS,
    }


def test_the_calls_are_listed_by_name(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    for document in (
        summarise(run, {}, Survey([]), RunState.RUNNING, CALLS),
        glance(run, {}, {}, RunState.RUNNING, CALLS),
    ):
        assert list(document["api_calls"]) == ["DescribeJobs", "SubmitJob"]


def test_a_step_says_how_many_results_stood_before_the_run(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    steps = tuple(replace(step, done=7) if step.name == "b" else step for step in run.steps)
    document = glance(replace(run, steps=steps), {}, {}, RunState.RUNNING, {})
    assert {step["name"]: step["unchanged"] for step in document["steps"]} == {
        "index": 0, "a": 0, "b": 7, "all": 0,
    }  # fmt: skip


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


def test_a_sample_has_its_own_entry_of_each_step_whatever_lies_between() -> None:
    entries = [
        entry(ONCE, "index"),
        entry("s0"),
        entry("s0", "b", Status.FAILED),
        entry("s2", "b", Status.LOST),
    ]
    found = {one["sample"]: one["steps"] for one in samples(["s0", "s1", "s2"], ["a", "b"], entries)}
    unchanged = Entry(
        sample="", step="", status=Status.SUCCEEDED, reason="unchanged: done before this run"
    ).to_json()
    assert found == {
        "s0": {"a": entries[1].to_json(), "b": entries[2].to_json()},
        "s1": {"a": unchanged, "b": unchanged},
        "s2": {"a": unchanged, "b": entries[3].to_json()},
    }


def test_every_sample_is_shown_though_the_run_had_no_child_at_all() -> None:
    assert [one["sample"] for one in samples(["s0", "s1"], ["a"], [])] == ["s0", "s1"]


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
