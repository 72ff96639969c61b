"""What each job becomes: submitted, waiting, runnable, started, ended. No input or output, and the time is passed in.

The caller holds one lock, calls in, then takes `changes` to the store, `kills` to the runner and starts what
`admit` returns.
"""

from __future__ import annotations

import heapq
import uuid
from collections import deque
from typing import NamedTuple

from local_batch.job import (
    CHILD_FAILED,
    DEPENDENCY_FAILED,
    LIVE,
    TIMED_OUT,
    ArrayJob,
    Attempt,
    Job,
    Outcome,
    Status,
    Submission,
)
from local_batch.retry import is_retried
from local_batch.scheduler import Scheduler

# https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
TIME_LIMIT = "Canceled by JobStateTimeLimit action due to reason: {}"
STOP_GRACE_S = 30  # https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html


class Kill(NamedTuple):
    """A running container that must stop: asked first, forced later."""

    task_id: str
    is_forced: bool


class Engine:
    """The state of all jobs, and the rules by which it moves."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.jobs: dict[str, Job] = {}
        self.changes: list[tuple[Job, Status]] = []
        self.kills: list[Kill] = []
        self._over: deque[Job] = deque()
        self._deadlines: list[tuple[int, int, bool, str, Job]] = []

    def find(self, job_id: str) -> Job | None:
        """Return a job, an array's parent or (`<parent>:<index>`) a child."""
        parent_id, colon, index = job_id.partition(":")
        job = self.jobs.get(parent_id)
        if not colon:
            return job
        if isinstance(job, ArrayJob) and index.isdecimal() and int(index) < len(job.children):
            return job.children[int(index)]
        return None

    def add(self, submission: Submission) -> Job:
        """Return the new job, its children made and nothing decided yet."""
        job = _array(submission) if submission.size else Job(submission)
        self.jobs[submission.id] = job
        return job

    def open(self, job: Job, now: int) -> None:
        """Link a job to what it depends on, and let what waits for nothing be RUNNABLE.

        Units that already ended, or were left RUNNABLE by a retry, stay as they are: this is also how jobs return
        from the store.
        """
        doomed = self._link(job)
        for unit in job.units:
            if unit.is_over:
                continue
            if job.submission.start_error:
                self._end(unit, Status.FAILED, job.submission.start_error, now)
            elif unit in doomed:
                self._end(unit, Status.FAILED, DEPENDENCY_FAILED, now)
            elif unit.waiting:
                self._move(unit, Status.PENDING, now)
            else:
                self._queue(unit, now)
        if isinstance(job, ArrayJob) and not job.is_over:
            self._move(job, Status.PENDING, now)
            self._close_array(job, now)
        self._settle(now)

    def admit(self, now: int) -> list[Job]:
        """Return the jobs that start now, in STARTING, each with a task id of its own."""
        admitted = self.scheduler.admit(now)
        for job in admitted:
            job.task_id = uuid.uuid4().hex
            job.started_at = None
            self._move(job, Status.STARTING, now)
        return admitted

    def started(self, job: Job, now: int) -> None:
        """Let a job be RUNNING and its time limit count."""
        job.started_at = now
        self._move(job, Status.RUNNING, now)
        if job.submission.timeout_s is not None:
            self._at(now + job.submission.timeout_s * 1000, job, is_forced=False)

    def ended(self, job: Job, outcome: Outcome, now: int) -> None:
        """Record the attempt that ended, and retry, fail or succeed."""
        self.scheduler.release(job, now)
        self.count_attempt(job, outcome, now)
        if job.status is Status.RUNNABLE:
            self.scheduler.push(job)
        self._settle(now)

    def count_attempt(self, job: Job, outcome: Outcome, now: int) -> None:
        """Add the attempt to the record and decide what follows, for a job that is in nobody's line yet."""
        attempt = Attempt(
            task_id=job.task_id or "",
            started_at=job.started_at,
            stopped_at=now,
            exit_code=outcome.exit_code,
            reason=outcome.reason,
            status_reason=job.end_reason or outcome.status_reason,
        )
        job.attempts = (*job.attempts, attempt)
        asked, number = job.submission, len(job.attempts)
        if job.end_reason is None and outcome.exit_code == 0:
            self._end(job, Status.SUCCEEDED, attempt.status_reason, now)
        elif job.end_reason is None and is_retried(
            attempt, number, attempts=asked.attempts, rules=asked.retry_rules
        ):
            job.task_id = None
            self._move(job, Status.RUNNABLE, now)
        else:
            self._end(job, Status.FAILED, attempt.status_reason, now)

    def cancel(self, job: Job, reason: str, now: int) -> None:
        """End what has not started; what runs goes on."""
        self._stop(job, reason, now, with_running=False)

    def terminate(self, job: Job, reason: str, now: int) -> None:
        """End what has not started and kill what runs."""
        self._stop(job, reason, now, with_running=True)

    def pass_time(self, now: int) -> int | None:
        """Do what is due (time limits, forced kills) and return when to come back."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, is_forced, task_id, job = heapq.heappop(self._deadlines)
            if job.status not in LIVE or job.task_id != task_id:
                continue
            if is_forced:
                self.kills.append(Kill(task_id, is_forced=True))
            else:
                self._kill(job, TIMED_OUT, now)
        due = [self._deadlines[0][0]] if self._deadlines else []
        for when, reason, job in self.scheduler.expiries():
            if when <= now:
                self._flag(job, is_terminated=False)
                self._end(job, Status.FAILED, TIME_LIMIT.format(reason), now)
            else:
                due.append(when)
        self._settle(now)
        return min(due, default=None)

    def _link(self, job: Job) -> set[Job]:
        """Count what each unit waits for; return the units that wait for something that has failed."""
        doomed: set[Job] = set()
        for dependency in job.submission.depends_on:
            upstream = self.find(dependency.job_id) if dependency.job_id else None
            if upstream is not None:
                kind = "N_TO_N" if dependency.kind == "N_TO_N" and isinstance(upstream, ArrayJob) else None
                pairs = zip(upstream.units if kind else [upstream] * len(job.units), job.units, strict=True)
                self._wait(pairs, doomed)
                upstream.dependents = [*(upstream.dependents or ()), (kind, job)]
                if kind is None and upstream.status is Status.FAILED:
                    job.end_reason = DEPENDENCY_FAILED
        if job.submission.is_sequential and isinstance(job, ArrayJob):
            self._wait(zip(job.children, job.children[1:], strict=False), doomed)
        return doomed

    def _wait(self, pairs: zip[tuple[Job, Job]], doomed: set[Job]) -> None:
        for upstream, unit in pairs:
            if upstream.status is Status.FAILED or upstream in doomed:
                doomed.add(unit)
            elif upstream.status is not Status.SUCCEEDED:
                unit.waiting += 1

    def _queue(self, unit: Job, now: int) -> None:
        self._move(unit, Status.RUNNABLE, now)
        self.scheduler.push(unit)

    def _stop(self, job: Job, reason: str, now: int, *, with_running: bool) -> None:
        if job.is_over:
            return
        if isinstance(job, ArrayJob):
            job.end_reason = reason
            self._flag(job, is_terminated=with_running)
            for child in job.children:
                self._stop_unit(child, reason, now, with_running=with_running)
        else:
            self._stop_unit(job, reason, now, with_running=with_running)
        self._settle(now)

    def _stop_unit(self, job: Job, reason: str, now: int, *, with_running: bool) -> None:
        if job.status in LIVE and with_running:
            self._flag(job, is_terminated=True)
            self._kill(job, reason, now)
        elif not job.is_over and job.status not in LIVE:
            self._flag(job, is_terminated=with_running)
            self._end(job, Status.FAILED, reason, now)

    def _flag(self, job: Job, *, is_terminated: bool) -> None:
        job.is_terminated = job.is_terminated or is_terminated
        job.is_cancelled = job.is_cancelled or not is_terminated
        self.changes.append((job, job.status))

    def _kill(self, job: Job, reason: str, now: int) -> None:
        if job.end_reason is None and job.task_id is not None:
            job.end_reason = reason
            self.kills.append(Kill(job.task_id, is_forced=False))
            self._at(now + STOP_GRACE_S * 1000, job, is_forced=True)

    def _at(self, when: int, job: Job, *, is_forced: bool) -> None:
        assert job.task_id is not None
        ticket = (when, len(self._deadlines), is_forced, job.task_id, job)
        heapq.heappush(self._deadlines, ticket)

    def _end(self, job: Job, status: Status, reason: str, now: int) -> None:
        job.status_reason = reason
        job.stopped_at = now
        self._move(job, status, now)
        self._over.append(job)

    def _settle(self, now: int) -> None:
        """Tell all that waits for a job that it is over, until nobody is left to tell."""
        while self._over:
            job = self._over.popleft()
            for kind, dependent in job.dependents or ():
                if kind is None:
                    self._release_all(job, dependent, now)
            if job.parent is not None and job.index is not None:
                self._settle_child(job, job.parent, job.index, now)

    def _settle_child(self, child: Job, parent: ArrayJob, index: int, now: int) -> None:
        for kind, dependent in parent.dependents or ():
            if kind == "N_TO_N":
                self._release(child, dependent.units[index], now)
        if child.submission.is_sequential and index + 1 < len(parent.children):
            self._release(child, parent.children[index + 1], now)
        self._close_array(parent, now)

    def _release_all(self, upstream: Job, dependent: Job, now: int) -> None:
        if upstream.status is Status.FAILED:
            dependent.end_reason = DEPENDENCY_FAILED
        for unit in dependent.units:
            self._release(upstream, unit, now)

    def _release(self, upstream: Job, unit: Job, now: int) -> None:
        if unit.status is not Status.PENDING:
            return
        if upstream.status is Status.FAILED:
            self._end(unit, Status.FAILED, DEPENDENCY_FAILED, now)
            return
        unit.waiting -= 1
        if unit.waiting == 0:
            self._queue(unit, now)

    def _close_array(self, parent: ArrayJob, now: int) -> None:
        succeeded, failed = parent.counts[Status.SUCCEEDED], parent.counts[Status.FAILED]
        if parent.is_over or succeeded + failed < len(parent.children):
            return
        if failed:
            self._end(parent, Status.FAILED, parent.end_reason or CHILD_FAILED, now)
        else:
            self._end(parent, Status.SUCCEEDED, "", now)

    def _move(self, job: Job, status: Status, now: int) -> None:
        parent = job.parent
        if parent is not None:
            parent.counts[job.status] -= 1
            parent.counts[status] += 1
            parent.counted_at = now
        job.status = status
        self.changes.append((job, status))


def _array(submission: Submission) -> ArrayJob:
    parent = ArrayJob(submission, counts=dict.fromkeys(Status, 0), counted_at=submission.created_at)
    size = submission.size or 0
    parent.children = [Job(submission, index, parent) for index in range(size)]
    parent.counts[Status.SUBMITTED] = size
    return parent
