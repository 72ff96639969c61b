"""The end of every child: a matrix of sample and step, with the cause told apart from what followed from it.

Pure: from what Batch says of the jobs and what the children wrote down to one entry a sample and step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.model import Per
from pipeline.run import Run, RunStep

DEPENDENCY_FAILED = "Dependent Job failed"
UNSTARTED = {"SUBMITTED", "PENDING", "RUNNABLE"}
OUT_OF_MEMORY = "outofmemory"
SIGKILL_EXIT = 137
SIGTERM_EXIT = 143


@dataclass(frozen=True)
class Entry:
    """How one step stands for one sample; `seconds` is the last attempt's, `log` its log stream."""

    status: str
    attempts: int = 0
    exit_code: int | None = None
    reason: str | None = None
    seconds: float | None = None
    log: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Matrix = dict[str, dict[str, Entry]]  # step → child → entry; the child of a step that runs once is "-"
UNCHANGED = Entry("SUCCEEDED", reason="unchanged: done before this run")
ONCE = "-"


def child_ids(step: RunStep, record: Mapping[str, Any], rows: Sequence[str]) -> dict[str, str]:
    """job id → child: row first_row + i of the work sheet is child i of its array."""
    if step.per != Per.SAMPLE:
        return {job["job_id"]: ONCE for job in record["jobs"]}
    ids = {}
    for job in record["jobs"]:
        children = rows[job["first_row"] : job["first_row"] + job["size"]]
        if job["size"] == 1:
            ids[job["job_id"]] = children[0]
        else:
            ids |= {f"{job['job_id']}:{index}": child for index, child in enumerate(children)}
    return ids


def make_matrix(
    run: Run,
    children: Mapping[str, Mapping[str, str]],
    jobs: Iterable[Mapping[str, Any]],
    failures: Mapping[tuple[str, str], Mapping[str, Any]],
) -> Matrix:
    """One entry for each child of each step.

    `children` is step → job id → child; `jobs` are DescribeJobs details of those ids (some may be unknown to
    Batch); `failures` are the children's own records, by (step, child).
    """
    details = {job["jobId"]: job for job in jobs}
    matrix: Matrix = {}
    for step in run.steps:
        entries = {}
        for job_id, child in children.get(step.name, {}).items():
            entry = _entry(details.get(job_id), step, failures.get((step.name, child)))
            entries[child] = _with_cause(entry, step, child, matrix)
        matrix[step.name] = entries
    return matrix


def _entry(job: Mapping[str, Any] | None, step: RunStep, failure: Mapping[str, Any] | None) -> Entry:
    if job is None:
        return Entry("UNKNOWN", reason="Batch has forgotten the job, or has not listed it yet")
    container = job.get("container", {})
    status = job["status"]
    started, stopped = job.get("startedAt"), job.get("stoppedAt")
    entry = Entry(
        status=status,
        attempts=len(job.get("attempts", [])) + (status in {"STARTING", "RUNNING"}),
        exit_code=container.get("exitCode"),
        seconds=round((stopped - started) / 1000, 1) if started and stopped else None,
        log=container.get("logStreamName"),
    )
    if status == "FAILED":
        return replace(entry, reason=_reason(job, step, failure))
    return entry


def _reason(job: Mapping[str, Any], step: RunStep, failure: Mapping[str, Any] | None) -> str:
    """The most telling account of a failure: memory, then the child's own words, then Batch's."""
    container = job.get("container", {})
    exit_code = container.get("exitCode")
    status_reason: str = job.get("statusReason", "")
    if OUT_OF_MEMORY in container.get("reason", "").lower():
        return f"out of memory: memory_mib was {step.memory_mib}"
    if failure and failure.get("job_id") == job["jobId"]:
        return str(failure["reason"])
    if container.get("reason"):
        return str(container["reason"])
    if exit_code is None or not status_reason.startswith("Essential container"):
        return status_reason
    meaning = {
        SIGKILL_EXIT: f"killed, likely out of memory: memory_mib was {step.memory_mib}",
        SIGTERM_EXIT: "told to stop (SIGTERM)",
    }
    return meaning.get(exit_code, f"exit code {exit_code}")


def _with_cause(entry: Entry, step: RunStep, child: str, before: Matrix) -> Entry:
    """The entry, as SKIPPED with the step at the root where it failed only because another did."""
    if entry.reason != DEPENDENCY_FAILED:
        return entry
    for name in step.after:
        entries = before[name]
        upstream = [entries[child]] if child in entries else list(entries.values())
        for other in upstream:
            if other.status == "SKIPPED":
                return replace(entry, status="SKIPPED", reason=other.reason)
            if other.status == "FAILED":
                return replace(entry, status="SKIPPED", reason=f"skipped because {name} failed")
    return replace(entry, status="SKIPPED", reason="skipped because a step before it failed")


def count(entries: Iterable[Entry]) -> dict[str, int]:
    """How many children are in each status, in order of first appearance, the two ends always there."""
    counts = {"SUCCEEDED": 0, "FAILED": 0}
    for entry in entries:
        counts[entry.status] = counts.get(entry.status, 0) + 1
    return counts


def failed_samples(run: Run, matrix: Matrix) -> list[str]:
    """The samples for which a step per sample did not succeed."""
    return sorted(
        {
            child
            for step in run.steps
            if step.per == Per.SAMPLE
            for child, entry in matrix[step.name].items()
            if entry.status != "SUCCEEDED"
        }
    )
