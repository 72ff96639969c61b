"""What can be asked of a run: it writes nothing, judges nothing from elsewhere, and closed or open tells the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from pipeline.api import runs
from pipeline.api.place import OpenRun, Place
from pipeline.cloud.home import remember_run
from pipeline.cloud.session import Cloud
from pipeline.cloud.stub_batch import StubBatch, refusal
from pipeline.errors import InputError, RefusedError
from pipeline.model.entry import ONCE
from pipeline.model.status import Status
from pipeline.submit.submitter import Submitter
from tests.pipeline.lab import Lab, sheet_of

NAMES = ["s0", "s1", "s2"]
EIGHT_DAYS_AGO = (datetime.now(UTC) - timedelta(days=8)).isoformat(timespec="seconds")


def with_failure(lab: Lab, **order: Any) -> OpenRun:
    run = lab.in_queue(NAMES, **order)
    lab.batch.run_all(lambda name, index: 65 if name.endswith("-a") and index == 1 else 0)
    lab.fail(run.run, "a", "s1", "input/s1.txt is truncated")
    return lab.again(run)


def forget_all(lab: Lab) -> None:
    for request in lab.batch.requests:
        lab.batch.forget(lab.batch.id_of(request["jobName"]))


def elsewhere(run: OpenRun, **where: str) -> OpenRun:
    """The same run, asked of a Batch in another account or region."""
    cloud = Cloud(region=where.get("region", "us-east-1"))
    return OpenRun(run.folder, StubBatch(**where), cloud)  # type: ignore[arg-type]


# Nothing is written


def test_asking_how_an_open_run_stands_writes_nothing(lab: Lab) -> None:
    run = with_failure(lab)
    with lab.writes() as written:
        runs.glance(run)
        head, samples = runs.describe(run)
        list(samples)
        runs.progress(run, datetime.now(UTC))
        runs.is_over(run)
        runs.list_runs(Place(bucket_name="lab"))
        runs.log_streams(run, "s1", None)
    assert written == [0]
    assert head["state"] == "FAILED"


def test_asking_how_a_closed_run_stands_writes_nothing(lab: Lab) -> None:
    run = with_failure(lab)
    runs.finish(run)
    with lab.writes() as written:
        runs.glance(run)
        list(runs.describe(run)[1])
        runs.log_streams(run, "s1", None)
    assert written == [0]


def test_a_closed_run_is_told_without_batch(lab: Lab) -> None:
    run = with_failure(lab)
    runs.finish(run)
    lab.batch.calls.clear()
    runs.glance(run)
    list(runs.describe(run)[1])
    assert not lab.batch.calls


def test_a_glance_asks_a_number_of_times_that_does_not_grow_with_the_samples(lab: Lab) -> None:
    calls = []
    for number, size in enumerate((30, 3000)):
        run = lab.in_queue([f"s{index}" for index in range(size)], run_id=f"toy-{number}")
        lab.batch.run_all(lambda name, index: 1 if name.endswith("-a") and index == 5 else 0)
        before = sum(lab.batch.calls.values()) + sum(lab.cloud.calls.values())
        runs.glance(lab.again(run))
        calls.append(sum(lab.batch.calls.values()) + sum(lab.cloud.calls.values()) - before)
    assert calls[0] == calls[1]


# Nothing is judged from elsewhere


@pytest.mark.parametrize("where", [{"region": "eu-west-1"}, {"account": "999999999999"}])
def test_an_open_run_is_not_judged_from_another_region_or_account(lab: Lab, where: dict[str, str]) -> None:
    there = elsewhere(with_failure(lab), **where)
    asked: list[Callable[[], object]] = [
        lambda: runs.glance(there),
        lambda: runs.describe(there),
        lambda: runs.cancel(there),
        lambda: runs.log_streams(there, "s1", None),
    ]
    for ask in asked:
        with pytest.raises(InputError) as refused:
            ask()
        [problem] = refused.value.problems
        assert "queue 'stub' in region us-east-1, account 123456789012" in problem.what
        assert "--region us-east-1" in problem.fix


def test_a_closed_run_is_told_anywhere(lab: Lab) -> None:
    run = with_failure(lab)
    runs.finish(run)
    there = elsewhere(run, region="eu-west-1")
    assert runs.glance(there)["state"] == "FAILED"
    assert len(list(runs.describe(there)[1])) == 3


# Open and closed alike


def test_an_open_and_a_closed_run_have_the_same_shape_and_samples(lab: Lab) -> None:
    run = with_failure(lab)
    open_head, open_samples = runs.describe(run)
    before = list(open_samples)
    runs.finish(run)
    closed_head, closed_samples = runs.describe(lab.again(run))
    assert list(closed_samples) == before
    assert closed_head.keys() == open_head.keys()
    assert closed_head["closed_at"] and open_head["closed_at"] is None
    same = closed_head.keys() - {"closed_at", "api_calls"}
    assert {name: closed_head[name] for name in same} == {name: open_head[name] for name in same}


def test_a_sample_has_an_entry_for_each_step_that_runs_per_sample(lab: Lab) -> None:
    _, samples = runs.describe(with_failure(lab))
    found = {one["sample"]: one["steps"] for one in samples}
    assert list(found) == NAMES
    assert {tuple(steps) for steps in found.values()} == {("a", "b")}
    failed = found["s1"]["a"]
    assert (failed["status"], failed["exit_code"], failed["reason"]) == (
        "FAILED",
        65,
        "input/s1.txt is truncated",
    )
    assert (found["s1"]["b"]["status"], found["s1"]["b"]["reason"]) == ("SKIPPED", "skipped because a failed")


def test_samples_of_the_sheet_that_the_run_had_nothing_to_do_for_are_told_too(lab: Lab) -> None:
    run = lab.in_queue(["s1"])
    lab.bucket.write(run.run.keys.sheet, sheet_of(NAMES).tsv())
    lab.batch.run_all()
    for _ in range(2):
        found = {one["sample"]: one["steps"]["a"]["reason"] for one in runs.describe(lab.again(run))[1]}
        assert found == {
            "s0": "unchanged: done before this run",
            "s1": None,
            "s2": "unchanged: done before this run",
        }
        runs.finish(run)


# The state of a run


@pytest.mark.parametrize(
    ("exit_code", "is_cancelled", "state"),
    [(None, False, "RUNNING"), (0, False, "SUCCEEDED"), (1, False, "FAILED"), (137, True, "CANCELLED")],
)
def test_both_ways_of_asking_tell_the_same_state(
    lab: Lab, exit_code: int | None, is_cancelled: bool, state: str
) -> None:
    run = lab.in_queue(NAMES)
    if is_cancelled:
        runs.cancel(run)
    lab.batch.run_all(lambda _name, _index: exit_code)
    assert runs.glance(run)["state"] == state
    assert runs.describe(run)[0]["state"] == state


def test_a_run_that_was_cancelled_when_all_had_succeeded_did_succeed(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all()
    run.folder.write_cancelled(datetime.now(UTC))
    assert runs.glance(run)["state"] == "SUCCEEDED"
    assert runs.describe(run)[0]["state"] == "SUCCEEDED"


def test_a_run_of_which_some_jobs_are_not_listed_yet_goes_on(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all()
    lab.batch.forget(lab.batch.id_of("toy-1-all"))
    assert runs.glance(run)["state"] == "RUNNING"
    assert runs.describe(run)[0]["state"] == "RUNNING"


def test_a_forgotten_run_is_settled_by_its_markers(lab: Lab) -> None:
    run = lab.in_queue(["s0"], lab.pipeline(), created_at=EIGHT_DAYS_AGO)
    lab.batch.run_all()
    forget_all(lab)
    lab.publish(run.run, "a", "s0")
    lab.publish(run.run, "b", "s0")
    lab.publish(run.run, "all", None)
    leave_marker_of_index(lab, run)
    assert runs.glance(run)["state"] == "SUCCEEDED"
    assert runs.describe(run)[0]["state"] == "SUCCEEDED"
    assert runs.finish(run)["state"] == "SUCCEEDED"


def leave_marker_of_index(lab: Lab, run: OpenRun) -> None:
    """Beside the reference, a marker's name says which step left it."""
    lab.publish(run.run, "index", None)
    [key] = [found.key for found in lab.bucket.objects("reference/hg38/_SUCCESS")]
    body = lab.bucket.read(key)
    assert body is not None
    lab.bucket.write(key.replace("_SUCCESS.", "_SUCCESS.index."), body)


def test_a_forgotten_run_without_markers_is_lost_and_failed(lab: Lab) -> None:
    run = lab.in_queue(NAMES, created_at=EIGHT_DAYS_AGO)
    lab.batch.run_all()
    forget_all(lab)
    glance = runs.glance(run)
    assert (glance["state"], glance["is_closed"]) == ("FAILED", False)
    _, samples = runs.describe(run)
    assert {one["steps"]["a"]["status"] for one in samples} == {"LOST"}


def test_a_glance_names_the_first_failures_and_that_the_run_is_not_closed(lab: Lab) -> None:
    glance = runs.glance(with_failure(lab))
    assert [(one["sample"], one["step"], one["reason"]) for one in glance["failures"]["first"]] == [
        ("s1", "a", "input/s1.txt is truncated")
    ]
    assert glance["is_closed"] is False


def test_a_finished_run_is_closed_once(lab: Lab) -> None:
    run = with_failure(lab)
    assert not runs.is_over(run)
    first = runs.finish(run)
    assert runs.is_over(run)
    with lab.writes() as written:
        again = runs.finish(lab.again(run))
    assert written == [0]
    assert again["state"] == first["state"] == "FAILED"


# Cancelling


def test_cancel_tells_the_jobs_that_were_stopped(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    assert runs.cancel(run) == [lab.batch.id_of(f"toy-1-{name}") for name in ("index", "a", "b", "all")]


def test_a_run_that_has_ended_is_not_cancelled(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all()
    assert runs.cancel(run) is None
    assert not run.folder.is_cancelled()
    runs.finish(run)
    assert runs.cancel(run) is None


def test_what_batch_refuses_is_told_with_the_place_that_was_asked(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.storm("terminate", refusal(403, "AccessDeniedException", "not you", "TerminateJob"))
    with pytest.raises(RefusedError, match=r"AWS refused TerminateJob: not you\n  where: .*us-east-1"):
        runs.cancel(run)


# Lists and logs


def test_the_runs_of_a_bucket_are_listed_oldest_first_without_the_claims(lab: Lab) -> None:
    for run_id, created_at in (("toy-a", "2026-01-02"), ("toy-b", "2026-01-01")):
        lab.in_queue(NAMES, run_id=run_id, created_at=created_at)
    lab.bucket.write("runs/_open/abc/00000001.json", b'{"run": "toy-a"}')
    found = runs.list_runs(Place(bucket_name="lab"))
    assert [run["run"] for run in found] == ["toy-b", "toy-a"]
    assert found[0]["uri"] == "s3://lab/runs/toy-b"


def test_without_a_bucket_the_runs_of_this_machine_are_listed(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    remember_run(run.run, profile=None)
    assert [found["run"] for found in runs.list_runs(Place())] == ["toy-1"]


def test_the_logs_of_a_sample_are_those_of_the_steps_that_started(lab: Lab) -> None:
    run = with_failure(lab)
    assert [step for step, _ in runs.log_streams(run, "s1", None)] == ["a"]
    assert [step for step, _ in runs.log_streams(run, "s0", None)] == ["a", "b"]
    assert [step for step, _ in runs.log_streams(run, ONCE, None)] == ["index"]
    [(_, stream)] = runs.log_streams(run, "s0", "b")
    assert stream.startswith("toy-b-")


def test_the_logs_are_the_same_after_the_close(lab: Lab) -> None:
    run = with_failure(lab)
    before = runs.log_streams(run, "s0", None)
    runs.finish(run)
    assert runs.log_streams(lab.again(run), "s0", None) == before


def test_a_sample_that_never_started_has_no_log_and_an_unknown_one_is_told_so(lab: Lab) -> None:
    run = with_failure(lab)
    with pytest.raises(InputError, match="'s1' has no log of step 'b'"):
        runs.log_streams(run, "s1", "b")
    with pytest.raises(InputError, match="the run has no sample 'nobody'"):
        runs.log_streams(run, "nobody", None)


def test_a_log_is_read_to_its_end(lab: Lab) -> None:
    logs = boto3.client("logs", region_name="us-east-1")
    logs.create_log_group(logGroupName="/aws/batch/job")
    logs.create_log_stream(logGroupName="/aws/batch/job", logStreamName="d/default/1")
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now_ms + number, "message": f"line {number}"} for number in range(12_000)]
    for first in range(0, len(events), 6000):
        logs.put_log_events(
            logGroupName="/aws/batch/job",
            logStreamName="d/default/1",
            logEvents=events[first : first + 6000],  # type: ignore[arg-type]
        )
    lines = list(runs.read_log(lab.in_queue(NAMES), "a", "d/default/1"))
    assert lines == [(event["timestamp"], event["message"]) for event in events]


def test_the_results_of_a_run_are_those_of_its_steps_over_the_whole_run(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    assert runs.results(run) == [("all", run.run.step("all").output)]


def test_a_half_submitted_run_shows_what_is_not_submitted_as_pending(lab: Lab) -> None:
    run = lab.pinned(NAMES)
    submitter = Submitter(run.folder, lab.batch)
    submitter.take_over()
    for name in ("index", "a"):
        submitter.submit(run.run.step(name))
    _, samples = runs.describe(lab.again(run))
    assert {one["steps"]["b"]["status"] for one in samples} == {Status.PENDING}
