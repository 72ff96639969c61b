"""A run in which children are ready and none runs: noticed, and explained once a step in Batch's own words.

A job that no machine of its queue can ever hold stays RUNNABLE for ever on AWS, and nothing fails.
Source: https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from pipeline.follow.progress import Progress
from pipeline.model.status import Status


class Stall:
    """Tells which steps have had children ready for so long while nothing of the run ran."""

    def __init__(self, after_s: float, clock: Callable[[], float]) -> None:
        self._after_s = after_s
        self._clock = clock
        self._idle_since: float | None = None
        self._told: set[str] = set()

    def notice(self, progress: Mapping[str, Progress]) -> list[str]:
        """The steps that are stalled now and were not told of before."""
        ready = [name for name, step in progress.items() if step.counts.get(Status.RUNNABLE)]
        if not ready or any(step.running for step in progress.values()):
            self._idle_since = None
            return []
        if self._idle_since is None:
            self._idle_since = self._clock()
        if self._clock() - self._idle_since < self._after_s:
            return []
        new = [name for name in ready if name not in self._told]
        self._told.update(new)
        return new


def foreign_head(arn: str | None, ours: Collection[str]) -> str | None:
    """The job at the head of the queue, unless it is one of these or a child of theirs."""
    if arn is None or arn.rpartition("/")[2].partition(":")[0] in ours:
        return None
    return arn
