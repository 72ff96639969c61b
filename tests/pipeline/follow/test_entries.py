"""Every child of a run: causes told apart from what followed from them, and markers that outrank Batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import Pipeline, Step
from pipeline.api.place import OpenRun
from pipeline.cloud.stub_batch import Outcome
from pipeline.cloud.stub_jobs import End
from pipeline.follow.entries import Children
from pipeline.model.entry import ONCE, Entry
from pipeline.model.status import Status
from tests.pipeline.lab import Lab

NAMES = ["s0", "s1", "s2"]
NOW = datetime.now(UTC)
EIGHT_DAYS = timedelta(days=8)


def failing(step: str, *indices: int, with_: int | End = 1) -> Outcome:
    """These children of a step fail."""
    return lambda name, index: with_ if name.endswith(f"-{step}") and index in indices else 0


def children(lab: Lab, run: OpenRun, now: datetime = NOW) -> Children:
    return Children(lab.again(run).folder, lab.batch, now)


def cells(lab: Lab, run: OpenRun, now: datetime = NOW) -> dict[tuple[str, str], Entry]:
    return {(entry.step, entry.sample): entry for entry in children(lab, run, now).entries()}


def diamond(lab: Lab) -> Pipeline:
    """per sample → over the run → per sample again → over the run again."""
    lab.pipeline()
    a = Step("a", "a.sh", outputs=["a.txt"])
    b = Step("b", "b.sh", after=[a], inputs=["a/a.txt"], outputs=["b.txt"])
    middle = Step("middle", "all.sh", after=[b], per="run", inputs=["b/b.txt"], outputs=["all.txt"])
    c = Step("c", "b.sh", after=[middle, a], inputs=["middle/all.txt"], outputs=["c.txt"])
    last = Step("last", "all.sh", after=[c], per="run", inputs=["c/c.txt"], outputs=["all.txt"])
    return Pipeline("toy", [a, b, middle, c, last], folder=lab.folder)


def test_a_failure_is_the_cause_and_what_waited_for_it_is_skipped(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("a", 1, with_=65))
    lab.fail(run.run, "a", "s1", "input/s1.txt is truncated")
    found = cells(lab, run)
    assert (found["a", "s1"].status, found["a", "s1"].reason) == (Status.FAILED, "input/s1.txt is truncated")
    assert found["b", "s0"].status == Status.SUCCEEDED
    assert (found["b", "s1"].status, found["b", "s1"].reason) == (Status.SKIPPED, "skipped because a failed")
    assert found["all", ONCE].reason == "skipped because a failed"


def test_entries_come_sample_by_sample_in_the_order_of_the_rows_and_then_what_runs_once(lab: Lab) -> None:
    run = lab.in_queue([f"s{number}" for number in range(250)])
    lab.batch.run_all()
    found = [(entry.sample, entry.step) for entry in children(lab, run).entries()]
    assert found[:4] == [("s0", "a"), ("s0", "b"), ("s1", "a"), ("s1", "b")]
    assert found[498:] == [("s249", "a"), ("s249", "b"), (ONCE, "index"), (ONCE, "all")]


def test_the_root_is_named_through_a_gather_and_a_step_in_the_middle(lab: Lab) -> None:
    run = lab.in_queue(NAMES, diamond(lab))
    lab.batch.run_all(failing("a", 2))
    found = cells(lab, run)
    skipped = {key: entry.reason for key, entry in found.items() if entry.status == Status.SKIPPED}
    assert skipped.keys() == {("b", "s2"), ("middle", ONCE), *(("c", name) for name in NAMES), ("last", ONCE)}
    assert set(skipped.values()) == {"skipped because a failed"}


def test_the_root_is_the_gather_where_it_failed_by_itself(lab: Lab) -> None:
    run = lab.in_queue(NAMES, diamond(lab))
    lab.batch.run_all(failing("middle", 0))
    found = cells(lab, run)
    assert found["middle", ONCE].status == Status.FAILED
    assert {found["c", name].reason for name in NAMES} == {"skipped because middle failed"}
    assert found["last", ONCE].reason == "skipped because middle failed"


def test_one_samples_entries_name_the_root_too_and_ask_only_for_its_own_jobs(lab: Lab) -> None:
    run = lab.in_queue([f"s{number}" for number in range(1500)], diamond(lab))
    lab.batch.run_all(failing("a", 2))
    before = lab.batch.calls["DescribeJobs"]
    found = {entry.step: entry.reason for entry in children(lab, run).of_sample("s1")}
    assert found == {"a": None, "b": None, "c": "skipped because a failed"}
    assert lab.batch.calls["DescribeJobs"] - before < 10


def test_the_steps_that_run_once_are_asked_for_by_a_dash(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all()
    assert [entry.step for entry in children(lab, run).of_sample(ONCE)] == ["index", "all"]


def test_a_sample_that_the_run_does_not_have_has_no_entries(lab: Lab) -> None:
    assert children(lab, lab.in_queue(NAMES)).of_sample("nobody") == []


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            End(exit_code=137, reason="OutOfMemoryError: Container killed due to memory usage"),
            "out of memory: memory_mib was 2048",
        ),
        (
            End(exit_code=None, status_reason="Task failed to start", reason="CannotPullContainerError: no"),
            "CannotPullContainerError: no",
        ),
        (
            End(exit_code=None, status_reason="Host EC2 (instance i-0a) terminated."),
            "Host EC2 (instance i-0a) terminated.",
        ),
    ],
)
def test_a_child_that_could_not_write_has_batchs_reason(lab: Lab, end: End, reason: str) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("a", 0, with_=end))
    assert cells(lab, run)["a", "s0"].reason == reason


def test_a_marker_of_this_run_outranks_batch(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("a", 1, with_=End(exit_code=None, status_reason="Host EC2 (i-0a) terminated.")))
    lab.publish(run.run, "a", "s1")
    entry = cells(lab, run)["a", "s1"]
    assert (entry.status, entry.reason) == (Status.SUCCEEDED, "its success marker is there")


def test_a_marker_that_another_run_left_does_not(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("a", 1))
    lab.publish(run.run, "a", "s1", by="s3://lab/runs/toy-0")
    assert cells(lab, run)["a", "s1"].status == Status.FAILED


def test_a_marker_whose_files_changed_does_not(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("a", 1))
    lab.publish(run.run, "a", "s1")
    lab.bucket.write("results/toy/hg38/a/s1/out.txt", b"another's")
    assert cells(lab, run)["a", "s1"].status == Status.FAILED


def test_a_child_that_is_not_listed_yet_is_unknown_and_not_lost(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.forget(lab.batch.id_of("toy-1-a"))
    assert cells(lab, run, NOW + timedelta(days=6))["a", "s0"].status == Status.UNKNOWN


def test_children_that_batch_has_forgotten_are_settled_by_their_markers_and_else_lost(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all()
    for step in ("index", "a", "b", "all"):
        lab.batch.forget(lab.batch.id_of(f"toy-1-{step}"))
    lab.publish(run.run, "a", "s1")
    lab.publish(run.run, "all", None)
    found = cells(lab, run, NOW + EIGHT_DAYS)
    assert found["a", "s1"].status == found["all", ONCE].status == Status.SUCCEEDED
    assert found["a", "s0"].status == found["index", ONCE].status == Status.LOST
    assert found["a", "s0"].reason == "Batch has forgotten the job, and it left no marker"


def test_the_marker_of_a_step_beside_the_reference_is_its_own(lab: Lab) -> None:
    run = lab.in_queue(NAMES)
    lab.batch.run_all(failing("index", 0))
    lab.publish(run.run, "index", None)  # its name does not say which step left it
    assert cells(lab, run)["index", ONCE].status == Status.FAILED


def test_the_first_failures_are_found_without_asking_for_every_child(lab: Lab) -> None:
    run = lab.in_queue([f"s{number}" for number in range(1500)])
    lab.batch.run_all(failing("a", 3, 1200))
    before = lab.batch.calls["DescribeJobs"]
    found = children(lab, run).first_failures(20)
    assert [(entry.step, entry.sample) for entry in found] == [("a", "s3"), ("a", "s1200")]
    assert lab.batch.calls["DescribeJobs"] - before < 10


def test_no_more_first_failures_are_told_than_asked_for(lab: Lab) -> None:
    run = lab.in_queue([f"s{number}" for number in range(50)])
    lab.batch.run_all(lambda name, _: 1 if name.endswith("-a") else 0)
    assert len(children(lab, run).first_failures(20)) == 20


def test_only_children_that_failed_have_objects_read_for_them(lab: Lab) -> None:
    run = lab.in_queue([f"s{number}" for number in range(30)])
    lab.batch.run_all()
    found = children(lab, run)
    before = lab.cloud.calls["GetObject"]
    list(found.entries())
    assert lab.cloud.calls["GetObject"] - before <= 2  # the chunk of rows, and that there is no other
