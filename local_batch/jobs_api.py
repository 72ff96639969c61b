"""SubmitJob, DescribeJobs, CancelJob, TerminateJob and their bulk forms."""

from __future__ import annotations

from local_batch import submission
from local_batch.details import detail
from local_batch.errors import ClientError
from local_batch.host import Host
from local_batch.job import Job
from local_batch.names import arn, short
from local_batch.shelf import Document

MAX_DESCRIBED = 100
MAX_BULK = 50


def submit(host: Host, region: str, request: Document) -> Document:
    """Keep a new job on disk and let it go its way; return its id."""
    with host.turn(is_synced=True) as engine:
        planned = submission.plan(host, request)
        host.store.add(planned)
        engine.open(engine.add(planned), planned.created_at)
    return {"jobArn": arn(region, f"job/{planned.id}"), "jobName": planned.name, "jobId": planned.id}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return jobs and children in the order asked for; unknown ids are left out."""
    ids = request["jobs"]
    if len(ids) > MAX_DESCRIBED:
        raise ClientError(f"Maximum number of jobs supported is  {MAX_DESCRIBED} .")  # both blanks are AWS's
    with host.lock:
        return {"jobs": [detail(job, region) for each in ids if (job := find(host, each)) is not None]}


def cancel(host: Host, region: str, request: Document) -> Document:
    """End a job that has not started; one that runs goes on, one that is unknown or over stays as it is."""
    _check_reason(request)
    with host.turn(is_synced=True) as engine:
        job = find(host, request["jobId"])
        if job is not None:
            engine.cancel(job, request["reason"], host.clock.now_ms())
    return {}


def terminate(host: Host, region: str, request: Document) -> Document:
    """End a job whether it has started or not; one that is unknown or over stays as it is."""
    _check_reason(request)
    with host.turn(is_synced=True) as engine:
        job = find(host, request["jobId"])
        if job is not None:
            engine.terminate(job, request["reason"], host.clock.now_ms())
    return {}


def cancel_all(host: Host, region: str, request: Document) -> Document:
    """Cancel up to 50 jobs."""
    _check_bulk(request)
    for job_id in request["jobs"]:
        cancel(host, region, {"jobId": job_id, "reason": request["reason"]})
    return {"successful": request["jobs"], "errors": []}


def terminate_all(host: Host, region: str, request: Document) -> Document:
    """Terminate up to 50 jobs."""
    _check_bulk(request)
    for job_id in request["jobs"]:
        terminate(host, region, {"jobId": job_id, "reason": request["reason"]})
    return {"successful": request["jobs"], "errors": []}


def find(host: Host, id_or_arn: str) -> Job | None:
    """Return a job or a child by id or ARN. The caller holds the lock."""
    return host.engine.find(short(id_or_arn, "job"))


def _check_reason(request: Document) -> None:
    for member in ("jobId", "reason"):
        if member in request and not request[member]:
            raise ClientError(f"'{member}' is a required field and it cannot be empty")
    if len(request["reason"]) > 1024:
        raise ClientError("reason may have at most 1024 characters")


def _check_bulk(request: Document) -> None:
    if not 1 <= len(request["jobs"]) <= MAX_BULK:
        raise ClientError(f"Between 1 and {MAX_BULK} jobs may be given, got {len(request['jobs'])}")
