"""ListJobs: one queue or one array, by status or by one filter, in pages."""

from __future__ import annotations

from collections.abc import Callable

from local_batch.details import summary
from local_batch.errors import ClientError, UnavailableError
from local_batch.host import Host
from local_batch.job import ArrayJob, Job, Status
from local_batch.jobs_api import find
from local_batch.names import definition_name, short
from local_batch.paging import page
from local_batch.shelf import Document

Test = Callable[[Job], bool]


def list_jobs(host: Host, region: str, request: Document) -> Document:
    """Return summaries; without a status and without filters those of RUNNING jobs."""
    chosen = [name for name in ("jobQueue", "arrayJobId", "multiNodeJobId") if request.get(name)]
    if len(chosen) != 1:
        raise ClientError("Exactly one of jobQueue, arrayJobId and multiNodeJobId must be given")
    with host.lock:
        if chosen == ["jobQueue"]:
            jobs, most = _in_queue(host, request)
        else:
            jobs, most = _children(host, request), 1000
        found, token = page(jobs, request, most=most)
        return {"jobSummaryList": [summary(job, region) for job in found], "nextToken": token}


def _children(host: Host, request: Document) -> list[Job]:
    if request.get("multiNodeJobId"):
        raise UnavailableError("A multi-node job")
    parent = find(host, request["arrayJobId"])
    if not isinstance(parent, ArrayJob):
        raise ClientError(f"Array job {request['arrayJobId']} not found.")
    status = request.get("jobStatus", Status.RUNNING)
    return [child for child in parent.children if child.status == status]


def _in_queue(host: Host, request: Document) -> tuple[list[Job], int]:
    queue = host.queues.find(request["jobQueue"])
    if queue is None:
        raise ClientError(f"JobQueue {short(request['jobQueue'], 'job-queue')} not found.")
    jobs = (
        job for job in reversed(host.engine.jobs.values()) if job.submission.queue == queue["jobQueueName"]
    )
    filters = request.get("filters", [])
    if len(filters) > 1:
        raise ClientError("At most one filter may be given")
    if not filters:
        status = request.get("jobStatus", Status.RUNNING)
        return [job for job in jobs if job.status == status], 1000
    test = _filter(filters[0].get("name", ""), filters[0].get("values", []))
    if filters[0].get("name") == "SHARE_IDENTIFIER" and "jobStatus" in request:
        return [job for job in jobs if test(job) and job.status == request["jobStatus"]], 100
    return [job for job in jobs if test(job)], 100


def _filter(name: str, values: list[str]) -> Test:
    if len(values) != 1:
        raise ClientError(f"Filter {name} takes exactly one value")
    value = values[0]
    match name:
        case "JOB_NAME":
            return _named(value.lower(), lambda job: job.submission.name.lower())
        case "JOB_DEFINITION":
            return _of_definition(value)
        case "SHARE_IDENTIFIER":
            return _named(value, lambda job: job.submission.share or "")
        case "BEFORE_CREATED_AT" | "AFTER_CREATED_AT" if value.isdecimal():
            limit, is_before = int(value), name.startswith("BEFORE")
            return lambda job: (
                job.submission.created_at < limit if is_before else job.submission.created_at > limit
            )
    raise ClientError(f"Filter {name}={value!r} is not valid")


def _named(pattern: str, name: Callable[[Job], str]) -> Test:
    if pattern.endswith("*"):
        return lambda job: name(job).startswith(pattern[:-1])
    return lambda job: name(job) == pattern


def _of_definition(value: str) -> Test:
    if value.endswith("*"):
        return lambda job: job.submission.definition.startswith(value[:-1])
    wanted = definition_name(value)
    if wanted.revision is None:
        return lambda job: job.submission.definition.partition(":")[0] == wanted.name
    return lambda job: job.submission.definition == f"{wanted.name}:{wanted.revision}"
