"""Watching a run through its parents only: one DescribeJobs call per hundred arrays, whatever N is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.cloud.batch import Batch
from pipeline.model.run import JobRecord, Run
from pipeline.model.status import Status

# https://docs.aws.amazon.com/batch/latest/userguide/job_states.html: ended jobs are kept for at least seven days
FORGOTTEN_AFTER = timedelta(days=7)
BATCHS_OWN = tuple(status for status in Status if status not in {Status.SKIPPED, Status.LOST, Status.UNKNOWN})
SLOWEST = 4  # times the shortest pause between two looks


@dataclass(frozen=True)
class Progress:
    """How many children of a step are in each state, and whether all of its jobs ended.

    `unlisted` counts the jobs that Batch does not list: forgotten, or too new.
    """

    counts: Mapping[Status, int]
    size: int
    has_ended: bool
    unlisted: int = 0

    @property
    def finished(self) -> int:
        return self.counts.get(Status.SUCCEEDED, 0) + self.counts.get(Status.FAILED, 0)

    @property
    def running(self) -> int:
        return self.counts.get(Status.STARTING, 0) + self.counts.get(Status.RUNNING, 0)

    @property
    def percentage(self) -> int:
        return 100 * self.finished // self.size if self.size else 100

    def __str__(self) -> str:
        if not self.size:
            return "nothing to do"
        parts = {
            "done": self.counts.get(Status.SUCCEEDED),
            "failed": self.counts.get(Status.FAILED),
            "running": self.running,
            "waiting": self.size - self.finished - self.running,
        }
        return ", ".join(f"{number} {word}" for word, number in parts.items() if number)


def is_forgotten(run: Run, now: datetime) -> bool:
    """Whether the run is so old that a job which Batch does not list has ended and was forgotten."""
    return now - datetime.fromisoformat(run.created_at) > FORGOTTEN_AFTER


def describe_progress(
    run: Run, records: Mapping[str, JobRecord], batch: Batch, now: datetime
) -> dict[str, Progress]:
    """Each submitted step's progress."""
    job_ids = [job.job_id for record in records.values() for job in record.jobs]
    details = {job["jobId"]: job for job in batch.describe(job_ids)}
    progress = {}
    for name, record in records.items():
        jobs = [details.get(job.job_id) for job in record.jobs]
        counts: dict[Status, int] = dict.fromkeys(BATCHS_OWN, 0)
        for job in jobs:
            for state, number in (_counts(job) if job else {}).items():
                counts[Status(state)] += number
        ended = all(Status(job["status"]).has_ended if job else is_forgotten(run, now) for job in jobs)
        progress[name] = Progress(counts, run.step(name).size, ended, jobs.count(None))
    return progress


def _counts(job: Mapping[str, Any]) -> Mapping[str, int]:
    array: Mapping[str, Any] = job.get("arrayProperties", {})
    summary: Mapping[str, int] = array.get("statusSummary", {})
    return summary if array.get("size") else {job["status"]: 1}


def has_ended(run: Run, progress: Mapping[str, Progress], *, is_cancelled: bool) -> bool:
    """Whether every job ended of every step; of a cancelled run, of every step that was submitted."""
    is_whole = len(progress) == len(run.steps) or is_cancelled
    return is_whole and all(step.has_ended for step in progress.values())


def watch(
    look: Callable[[], Mapping[str, Progress]], *, poll_every_s: float, sleep: Callable[[float], None]
) -> Iterator[Mapping[str, Progress]]:
    """What `look` sees, again and again until every job ended; less often while nothing changes."""
    pause, seen = poll_every_s, None
    while True:
        progress = look()
        yield progress
        if all(step.has_ended for step in progress.values()):
            return
        pause = poll_every_s if progress != seen else min(pause * 1.5, poll_every_s * SLOWEST)
        seen = progress
        sleep(pause)
