"""From what Batch says of a child, and what it wrote down, to its entry: causes told apart from what followed.

Pure: every function takes what others have read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.model.entry import Entry
from pipeline.model.status import Status

DEPENDENCY_FAILED = "Dependent Job failed"
OUT_OF_MEMORY = "outofmemory"
SIGKILL_EXIT = 137
SIGTERM_EXIT = 143
MEANINGS = {
    SIGKILL_EXIT: "killed, likely out of memory: memory_mib was {memory_mib}",
    SIGTERM_EXIT: "told to stop (SIGTERM)",
}
MAX_REASON = 1000  # characters; the child's own record and its log have the rest
FORGOTTEN = "Batch has forgotten the job, and it left no marker"
UNLISTED = "Batch does not list the job"


def entry_of_job(sample: str, step: str, job: Mapping[str, Any]) -> Entry:
    """The entry of a child as DescribeJobs shows it, without the reason of a failure."""
    container = job.get("container", {})
    status = Status(job["status"])
    started, stopped = job.get("startedAt"), job.get("stoppedAt")
    return Entry(
        sample=sample,
        step=step,
        status=status,
        attempts=len(job.get("attempts", [])) + (status in {Status.STARTING, Status.RUNNING}),
        exit_code=container.get("exitCode"),
        seconds=round((stopped - started) / 1000, 1) if started and stopped else None,
        log=container.get("logStreamName"),
        job_id=job["jobId"],
    )


def is_skipped(job: Mapping[str, Any]) -> bool:
    """Whether Batch never started the job, for one that it depends on failed."""
    return job.get("status") == Status.FAILED and job.get("statusReason") == DEPENDENCY_FAILED


def with_reason(
    entry: Entry, job: Mapping[str, Any], failure: Mapping[str, Any] | None, *, memory_mib: int
) -> Entry:
    """The entry of a failed child with the most telling account: memory, then the child's own words, then Batch's."""
    if entry.status != Status.FAILED:
        return entry
    container = job.get("container", {})
    batchs = str(container.get("reason") or "")
    status_reason = str(job.get("statusReason") or "")
    if OUT_OF_MEMORY in batchs.lower():
        return replace(entry, reason=f"out of memory: memory_mib was {memory_mib}")
    if failure and failure.get("job_id") == job["jobId"]:
        return replace(entry, reason=_one_line(str(failure["reason"])))
    if batchs:
        return replace(entry, reason=_one_line(batchs))
    if entry.exit_code is None or not status_reason.startswith("Essential container"):
        return replace(entry, reason=_one_line(status_reason))
    meaning = MEANINGS.get(entry.exit_code, "exit code {exit_code}")
    return replace(entry, reason=meaning.format(memory_mib=memory_mib, exit_code=entry.exit_code))


def _one_line(text: str) -> str | None:
    """The text without its line ends and tabs, cut where it would fill a table; None where it says nothing."""
    line = " ".join(text.split())
    return (line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}…") or None


def skipped(entry: Entry, root: str | None) -> Entry:
    """The entry of a child that never started, because of the step at the root."""
    because = f"{root} failed" if root else "a step before it failed"
    return replace(entry, status=Status.SKIPPED, reason=f"skipped because {because}", exit_code=None)


def settled(entry: Entry, *, has_marker: bool) -> Entry:
    """The entry of a child that failed or is not listed, given its marker, which outranks Batch's word."""
    if has_marker:
        return replace(entry, status=Status.SUCCEEDED, reason="its success marker is there")
    return entry


def unlisted(sample: str, step: str, *, is_forgotten: bool) -> Entry:
    """The entry of a child that Batch does not list."""
    if is_forgotten:
        return Entry(sample=sample, step=step, status=Status.LOST, reason=FORGOTTEN)
    return Entry(sample=sample, step=step, status=Status.UNKNOWN, reason=UNLISTED)
