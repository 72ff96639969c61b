"""Starting: one run for one command, whoever types it when; another command over the same samples is refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, local
from typing import Any

import pytest

from pipeline import Pipeline, Step
from pipeline.api import runs
from pipeline.api import start as module
from pipeline.api.place import OpenRun
from pipeline.api.start import (
    Started,
    describe_nothing,
    describe_submitted,
    resume,
    start,
    submit_run,
)
from pipeline.cloud.home import recall_runs
from pipeline.cloud.stub_batch import StubBatch
from pipeline.errors import InputError, RefusedError
from pipeline.model.status import Status
from pipeline.submit import launch
from pipeline.submit.jobs import submit_request
from pipeline.submit.submitter import Submitter
from tests.pipeline.lab import Lab, plan_run, silent

NAMES = ("s0", "s1", "s2")


def now() -> datetime:
    return datetime.now(UTC)


def half_submitted(lab: Lab, steps: int = 2) -> OpenRun:
    """A run of which a client submitted so many steps, and then died."""
    run = lab.pinned(NAMES)
    submitter = Submitter(run.folder, lab.batch)
    assert submitter.take_over()
    for step in run.run.steps[:steps]:
        submitter.submit(step)
    lab.bucket.delete(*(found.key for found in lab.bucket.objects(run.run.keys.turns)))
    return lab.again(run)


def state_of(run: OpenRun) -> str:
    return str(runs.glance(run)["state"])


# Half submitted


def test_a_run_half_submitted_by_a_dead_client_never_becomes_succeeded(lab: Lab) -> None:
    run = half_submitted(lab)
    lab.batch.run_all()
    assert state_of(run) == "RUNNING"
    assert runs.describe(run)[0]["state"] == "RUNNING"
    assert not module.close_if_ended(run, now())
    assert run.folder.summary() is None


def test_resume_submits_exactly_what_is_missing(lab: Lab) -> None:
    run = half_submitted(lab)
    before = lab.job_names()
    resume(lab.again(run), None, tell=silent)
    assert before == ["index", "a"]
    assert lab.job_names() == ["index", "a", "b", "all"]
    lab.batch.run_all()
    assert state_of(lab.again(run)) == "SUCCEEDED"


def test_the_same_command_takes_a_half_submitted_run_up(lab: Lab) -> None:
    run = half_submitted(lab)
    started = lab.start(NAMES)
    assert started.is_followed
    assert started.run is not None
    assert started.run.run.id == run.run.id
    submit_run(started.run, "", tell=silent)
    assert lab.job_names() == ["index", "a", "b", "all"]


def test_a_cancelled_half_submitted_run_closes_on_what_was_submitted(lab: Lab) -> None:
    run = half_submitted(lab)
    runs.cancel(run)
    assert module.close_if_ended(lab.again(run), now())
    head, samples = runs.describe(lab.again(run))
    assert head["state"] == "CANCELLED"
    for sample in samples:
        assert sample["steps"]["b"]["status"] == "SKIPPED"
        assert sample["steps"]["b"]["reason"] == "never submitted: the run was cancelled before"
        assert sample["steps"]["a"]["status"] == "FAILED"


def test_a_cancelled_run_is_not_submitted_any_more(lab: Lab) -> None:
    run = half_submitted(lab)
    runs.cancel(run)
    assert resume(lab.again(run), None, tell=silent) is None
    with pytest.raises(RefusedError, match="the run was cancelled"):
        submit_run(lab.again(run), "", tell=silent)
    assert lab.job_names() == ["index", "a"]


def test_of_a_cancelled_run_a_step_of_which_one_shard_was_submitted_waits_for_that_shard(lab: Lab) -> None:
    names = [f"s{number}" for number in range(10_001)]
    run = lab.adopt(plan_run(lab.folder, names), names)
    submitter = Submitter(run.folder, lab.batch)
    submitter.take_over()
    submitter.submit(run.run.step("index"))
    a = run.run.step("a")
    first = lab.batch.submit(submit_request(run.run, a, a.jobs[0], {}))
    run.folder.write_cancelled(now())
    lab.batch.run_all(lambda name, index: None if name.endswith("-a-0") and index == 7 else 0)
    assert not module.close_if_ended(lab.again(run), now())
    lab.batch.end(f"{first}:7", 137)
    assert module.close_if_ended(lab.again(run), now())
    entries = {(entry.step, entry.sample): entry for entry in run.folder.ledger()}
    assert entries["a", "s7"].status == Status.FAILED
    assert entries["a", "s8"].status == Status.SUCCEEDED
    assert entries["a", "s5000"].status == entries["b", "s8"].status == Status.SKIPPED


# After an end


def test_the_same_command_after_a_cancel_starts_a_new_run(lab: Lab) -> None:
    run = lab.submitted(NAMES)
    runs.cancel(run)
    again = lab.pinned(NAMES)
    assert again.run.id != run.run.id
    summary = lab.again(run).folder.summary()
    assert summary is not None
    assert summary["state"] == "CANCELLED"


def test_the_same_command_waits_while_a_cancelled_runs_jobs_stop(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.submitted(NAMES)
    with monkeypatch.context() as patch:
        patch.setattr(StubBatch, "terminate", lambda _batch, _job, _reason: None)  # stopping takes a while
        runs.cancel(run)
    told: list[str] = []
    pauses: list[float] = []

    def stop_at_the_second(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 2:
            lab.batch.run_all(lambda _name, _index: 137)

    started = start(lab.prepare(NAMES), tell=told.append, sleep=stop_at_the_second)
    assert len(pauses) == 2
    assert [line for line in told if "stopping" in line] == told[:1]
    assert started.run is not None
    assert started.run.run.id != run.run.id


def test_alongside_a_cancelled_run_whose_jobs_stop_it_is_not_followed_either(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.submitted(NAMES)
    with monkeypatch.context() as patch:
        patch.setattr(StubBatch, "terminate", lambda _batch, _job, _reason: None)
        runs.cancel(run)
    started = lab.start(NAMES, alongside=True)
    assert (started.run, started.is_followed) == (None, False)


def test_the_same_command_after_a_detached_run_that_failed_starts_a_new_run(lab: Lab) -> None:
    run = lab.submitted(NAMES)
    lab.batch.run_all(lambda name, _: 1 if name.endswith("-a") else 0)
    again = lab.pinned(NAMES)
    assert again.run.id != run.run.id
    summary = lab.again(run).folder.summary()
    assert summary is not None
    assert summary["state"] == "FAILED"


def test_the_same_command_follows_a_run_that_goes_on(lab: Lab) -> None:
    run = lab.submitted(NAMES)
    started = lab.start(NAMES)
    assert started.is_followed
    assert started.run is not None
    assert started.run.run.id == run.run.id
    assert lab.runs() == [run.run.id]


# At one instant


def start_together(lab: Lab, monkeypatch: pytest.MonkeyPatch, clients: int) -> list[Started]:
    """So many identical commands, each of which has pinned its run before any of them claims."""
    prepared = [lab.prepare(NAMES) for _ in range(clients)]
    barrier, mine, pin = Barrier(clients), local(), launch.pin

    def pin_and_wait(*words: Any) -> Any:
        folder = pin(*words)
        if not getattr(mine, "has_waited", False):
            mine.has_waited = True
            barrier.wait(60)
        return folder

    monkeypatch.setattr(module, "pin", pin_and_wait)
    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(start, prepared))


def test_three_identical_starts_at_one_instant_give_one_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start_together(lab, monkeypatch, 3)
    assert len({one.run.run.id for one in started if one.run}) == 1
    assert sorted(one.is_followed for one in started) == [False, True, True]


def test_the_losers_leave_nothing_behind(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    started = start_together(lab, monkeypatch, 3)
    assert started[0].run is not None
    assert lab.runs() == [started[0].run.run.id]
    assert len(recall_runs()) == 1


def test_two_followers_of_a_half_submitted_run_submit_each_job_once(lab: Lab) -> None:
    run = half_submitted(lab)
    barrier = Barrier(2)

    def follow(client: OpenRun) -> None:
        barrier.wait(60)
        submit_run(client, "", tell=silent)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(follow, [lab.again(run), lab.again(run)]))
    assert sorted(lab.job_names()) == ["a", "all", "b", "index"]


def test_cancel_while_another_client_submits_leaves_no_running_job(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.pinned(NAMES)
    canceller, submit = lab.again(run), StubBatch.submit

    def cancelled_on_the_way(batch: StubBatch, request: Any, may_go_on: Callable[[], None]) -> str:
        may_go_on()
        if request["jobName"].endswith("-a"):
            runs.cancel(canceller)  # it finds no job of that name yet
        return submit(batch, request)

    monkeypatch.setattr(StubBatch, "submit", cancelled_on_the_way)
    with pytest.raises(RefusedError, match="the run was cancelled"):
        submit_run(run, "", tell=silent)
    assert lab.job_names() == ["index", "a"]
    ids = [lab.batch.id_of(request["jobName"]) for request in lab.batch.requests]
    assert {job["status"] for job in lab.batch.describe(ids)} == {"FAILED"}


def test_cancel_during_the_very_last_submit_leaves_no_running_job(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Pipeline("toy", [lab.pipeline().step("a")], folder=lab.folder)
    run = lab.pinned(NAMES, pipeline=only)
    canceller, submit = lab.again(run), StubBatch.submit

    def cancelled_on_the_way(batch: StubBatch, request: Any, may_go_on: Callable[[], None]) -> str:
        may_go_on()
        runs.cancel(canceller)  # it finds no job of that name yet
        return submit(batch, request)

    monkeypatch.setattr(StubBatch, "submit", cancelled_on_the_way)
    submit_run(run, "", tell=silent)
    array = lab.batch.id_of(f"{run.run.id}-a")
    reasons = {job["statusReason"] for job in lab.batch.describe(f"{array}:{index}" for index in range(3))}
    assert reasons == {"cancelled by the user"}


# Another command


def pipeline_with(lab: Lab, change: str) -> Pipeline:
    changes: dict[str, dict[str, object]] = {
        "parameter": {"parameters": {"K": "31"}},
        "memory": {"memory_mib": 9000},
        "image": {"image": "registry.example.org/other:1"},
    }
    if change in changes:
        return lab.pipeline(**changes[change])
    pipeline = lab.pipeline()
    if change == "step list":
        return Pipeline(pipeline.name, pipeline.steps[:-1], folder=pipeline.folder)
    (lab.folder / "b.sh").write_text("#!/bin/sh\necho changed\n")
    return pipeline


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("parameter", "step 'b' has another script, image, parameter or declaration"),
        ("memory", "step 'b' asks for other memory"),
        ("image", "step 'b' has another script, image, parameter or declaration"),
        ("step list", "step 'all' is in the run and not in the pipeline"),
        ("script", "step 'b' has another script, image, parameter or declaration"),
    ],
)
def test_another_pipeline_over_samples_of_an_open_run_is_refused_with_what_differs_and_both_ways_out(
    lab: Lab, change: str, told: str
) -> None:
    run = lab.submitted(NAMES)
    with pytest.raises(InputError) as refused:
        lab.start(NAMES, pipeline=pipeline_with(lab, change))
    [problem] = refused.value.problems
    assert told in problem.what
    assert problem.where == run.run.uri
    assert f"python main.py cancel {run.run.uri}" in problem.fix
    assert "--alongside" in problem.fix
    assert lab.runs() == [run.run.id]


def test_another_sheet_over_samples_of_an_open_run_is_refused(lab: Lab) -> None:
    lab.submitted(NAMES)
    with pytest.raises(InputError, match="the sample sheet has 4 samples, the run's has 3"):
        lab.start((*NAMES, "s3"))


def test_a_changed_column_of_the_sheet_is_refused(lab: Lab) -> None:
    text = "sample,k\ns0,1\ns1,2\ns2,3\n"
    changed = text.replace("s2,3", "s2,4")
    pipeline = lab.pipeline(columns=["k"])
    lab.submitted(NAMES, text=text, pipeline=pipeline)
    with pytest.raises(InputError, match="other samples or columns"):
        lab.start(NAMES, text=changed, pipeline=pipeline)


def test_only_the_open_runs_that_hold_some_of_the_samples_are_named(lab: Lab) -> None:
    done = lab.submitted(("s0",))
    lab.batch.run_all()
    lab.publish(done.run, "index", None)
    lab.bucket.write("reference/hg38/genes.idx", b"brought")
    runs.finish(done)
    first = lab.submitted(("s1", "s2"))
    lab.submitted(("s3", "s4"))
    with pytest.raises(InputError) as refused:
        lab.start(("s2", "s5"))
    assert [problem.where for problem in refused.value.problems] == [first.run.uri]


def one_step(lab: Lab) -> Pipeline:
    """A step per sample, and one over the whole run; nothing beside the reference."""
    a = Step("a", "a.sh", inputs=["input/{sample}.txt"], outputs=["a.txt"])
    everything = Step("all", "all.sh", after=[a], per="run", inputs=["a/a.txt"], outputs=["all.txt"])
    return Pipeline("toy", [a, everything], folder=lab.pipeline().folder)


def test_disjoint_samples_go_ahead_without_a_flag(lab: Lab) -> None:
    first = lab.submitted(("s0", "s1"), pipeline=one_step(lab))
    second = lab.submitted(("s2", "s3"), pipeline=one_step(lab))
    assert lab.runs() == sorted([first.run.id, second.run.id])
    assert sorted(lab.job_names()) == ["a", "a", "all", "all"]


def test_the_same_cohort_of_a_step_over_the_whole_run_is_held_even_where_its_samples_are_done(
    lab: Lab,
) -> None:
    pipeline = one_step(lab)
    lab.submitted(("s0", "s1"), pipeline=pipeline)
    changed = Pipeline("toy", [pipeline.steps[0], pipeline.steps[1]], folder=pipeline.folder)
    (lab.folder / "all.sh").write_text("#!/bin/sh\necho changed\n")
    with pytest.raises(InputError, match="step 'all' has another script"):
        lab.start(("s0", "s1"), pipeline=changed)


def test_alongside_takes_only_what_the_open_run_does_not_hold_and_what_is_gathered_waits(lab: Lab) -> None:
    first = lab.submitted(("s0", "s1"), pipeline=one_step(lab))
    second = lab.submitted(("s1", "s2", "s3"), pipeline=one_step(lab), alongside=True)
    assert second.run.id != first.run.id
    assert list(second.folder.work()) == ["s2", "s3"]
    assert [step.name for step in second.run.steps if step.jobs] == ["a"]
    assert lab.batch.requests[-1]["arrayProperties"] == {"size": 2}


def test_alongside_says_what_it_leaves_to_the_open_run(lab: Lab) -> None:
    lab.submitted(("s0", "s1"), pipeline=one_step(lab))
    told: list[str] = []
    start(lab.prepare(("s1", "s2"), pipeline=one_step(lab)), alongside=True, tell=told.append)
    assert told == [
        "alongside: 1 samples are left to the open run, 1 are done now; all waits for the next command"
    ]


def test_alongside_an_open_run_that_holds_everything_starts_nothing(lab: Lab) -> None:
    lab.submitted(NAMES)
    started = lab.start(NAMES[:2], alongside=True)
    assert started.run is None
    assert len(lab.runs()) == 1


# Places


def test_another_input_place_over_the_same_results_is_refused_with_both_ways_out(lab: Lab) -> None:
    lab.pinned(NAMES)
    with pytest.raises(InputError) as refused:
        lab.prepare(NAMES, input_prefix="batch-2")
    [problem] = refused.value.problems
    assert "s3://lab/input" in problem.what
    assert "s3://lab/batch-2" in problem.what
    assert "--results-prefix" in problem.fix
    assert "--pipeline-name" in problem.fix


def test_another_input_place_with_results_of_its_own_goes_ahead(lab: Lab) -> None:
    first = lab.pinned(NAMES)
    second = lab.pinned(NAMES, input_prefix="batch-2", results_prefix="results/batch-2")
    assert first.run.results != second.run.results


def test_a_run_that_is_on_another_batch_is_not_closed_by_this_one(lab: Lab) -> None:
    run = lab.submitted(NAMES)
    lab.batch.run_all()
    elsewhere = OpenRun(lab.again(run).folder, StubBatch(account="999999999999"), lab.cloud)
    assert not module.close_if_ended(elsewhere, now())
    assert run.folder.summary() is None


# What is taken up


def test_a_run_whose_client_died_before_its_claim_is_not_resumed_for_another_may_have_been_started_since(
    lab: Lab,
) -> None:
    orphan = lab.pinned(NAMES)
    lab.bucket.delete(*(found.key for found in lab.bucket.objects("runs/_open/")))
    other = lab.submitted(NAMES)
    assert other.run.id != orphan.run.id
    with pytest.raises(InputError, match="never started"):
        resume(lab.again(orphan), None, tell=silent)
    assert len(lab.batch.requests) == 4


# Documents


def test_a_run_that_was_submitted_a_moment_ago_is_described_without_asking_for_any_child(lab: Lab) -> None:
    run = lab.submitted(NAMES)
    before = lab.batch.calls["DescribeJobs"]
    head, samples = describe_submitted(run)
    assert lab.batch.calls["DescribeJobs"] == before
    assert head["state"] == "RUNNING"
    assert [sample["sample"] for sample in samples] == [*NAMES]


def test_where_nothing_has_to_run_the_document_has_no_run(lab: Lab) -> None:
    prepared = lab.prepare(NAMES)
    head, samples = describe_nothing(prepared)
    shape, _ = describe_submitted(lab.submitted(NAMES))
    assert (head["run"], head["uri"]) == (None, None)
    assert head.keys() == shape.keys()
    assert [sample["sample"] for sample in samples] == [*NAMES]
