"""Watching a run through its parents only: one DescribeJobs call per hundred arrays, whatever N is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.batch import Batch
from pipeline.run import Run

ENDED = {"SUCCEEDED", "FAILED"}
FORGOTTEN_AFTER = timedelta(
    days=1
)  # Batch keeps ended jobs for seven; a new one may take a moment to be listed
STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class Progress:
    """How many children of a step are in each state, and whether all of its jobs ended."""

    counts: Mapping[str, int]
    size: int
    has_ended: bool

    @property
    def finished(self) -> int:
        return self.counts.get("SUCCEEDED", 0) + self.counts.get("FAILED", 0)

    @property
    def running(self) -> int:
        return self.counts.get("STARTING", 0) + self.counts.get("RUNNING", 0)

    @property
    def percentage(self) -> int:
        return 100 * self.finished // self.size if self.size else 100

    def __str__(self) -> str:
        waiting = self.size - self.finished - self.running
        parts = {
            "done": self.counts.get("SUCCEEDED", 0),
            "failed": self.counts.get("FAILED", 0),
            "running": self.running,
            "waiting": waiting,
        }
        return ", ".join(f"{number} {word}" for word, number in parts.items() if number) or "nothing to do"


def describe_progress(
    run: Run, records: Mapping[str, Any], batch: Batch, now: datetime
) -> dict[str, Progress]:
    """Each submitted step's progress. Jobs of a run of some age that Batch does not know any more have ended."""
    is_old = now - datetime.fromisoformat(run.created_at) > FORGOTTEN_AFTER
    job_ids = [job["job_id"] for record in records.values() for job in record["jobs"]]
    details = {job["jobId"]: job for job in batch.describe(job_ids)}
    progress = {}
    for step in run.steps:
        if step.name not in records:
            continue
        jobs = [details.get(job["job_id"]) for job in records[step.name]["jobs"]]
        counts = dict.fromkeys(STATES, 0)
        for job in jobs:
            for state, number in (_counts(job) if job else {}).items():
                counts[state] += number
        ended = all(job["status"] in ENDED if job else is_old for job in jobs)
        progress[step.name] = Progress(counts, step.size, ended)
    return progress


def _counts(job: Mapping[str, Any]) -> Mapping[str, int]:
    summary: Mapping[str, int] = job.get("arrayProperties", {}).get("statusSummary", {})
    return summary if job.get("arrayProperties", {}).get("size") else {job["status"]: 1}


def watch(
    run: Run, records: Mapping[str, Any], batch: Batch, *, poll_every_s: float, sleep: Callable[[float], None]
) -> Iterator[dict[str, Progress]]:
    """The run's progress, again and again until every job ended."""
    while True:
        progress = describe_progress(run, records, batch, datetime.now(UTC))
        yield progress
        if all(step.has_ended for step in progress.values()):
            return
        sleep(poll_every_s)
