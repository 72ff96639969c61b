"""A stalled run is noticed, once a step, and only when nothing runs."""

from __future__ import annotations

from pipeline.follow.progress import Progress
from pipeline.follow.stall import Stall, foreign_head
from pipeline.model.status import Status

READY = Progress({Status.RUNNABLE: 2, Status.RUNNING: 0}, 2, has_ended=False)
RUNNING = Progress({Status.RUNNABLE: 1, Status.RUNNING: 1}, 2, has_ended=False)
WAITING = Progress({Status.PENDING: 2}, 2, has_ended=False)


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_step_that_is_ready_for_long_while_nothing_runs_is_told_once() -> None:
    clock = Clock()
    stall = Stall(60, clock)
    assert stall.notice({"a": READY, "b": WAITING}) == []
    clock.now = 60
    assert stall.notice({"a": READY, "b": WAITING}) == ["a"]
    assert stall.notice({"a": READY, "b": WAITING}) == []


def test_a_run_in_which_something_runs_is_not_stalled() -> None:
    clock = Clock()
    stall = Stall(60, clock)
    stall.notice({"a": READY})
    clock.now = 50
    assert stall.notice({"a": READY, "b": RUNNING}) == []
    clock.now = 100
    assert stall.notice({"a": READY}) == []


def test_only_a_job_of_another_run_is_named_at_the_head_of_the_queue() -> None:
    jobs = "arn:aws:batch:eu-west-1:123456789012:job/"
    assert foreign_head(f"{jobs}ours:7", {"ours"}) is None
    assert foreign_head(f"{jobs}ours", {"ours"}) is None
    assert foreign_head(None, {"ours"}) is None
    assert foreign_head(f"{jobs}theirs:7", {"ours"}) == f"{jobs}theirs:7"
