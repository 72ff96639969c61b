"""Jobs as AWS shows them: JobDetail, JobSummary."""

from __future__ import annotations

from typing import Any

from local_batch.job import LIVE, ArrayJob, Attempt, Job, RetryRule, Status, Submission
from local_batch.names import arn
from local_batch.surroundings import stream_name

EMPTY_LISTS = (
    "environment",
    "mountPoints",
    "networkInterfaces",
    "resourceRequirements",
    "secrets",
    "ulimits",
    "volumes",
)
RULE_KEYS = {"onStatusReason": "on_status_reason", "onReason": "on_reason", "onExitCode": "on_exit_code"}


def detail(job: Job, region: str) -> dict[str, Any]:
    """Return a job as DescribeJobs shows it; what has not happened yet is left out."""
    container = {**fixed_container(job.submission), **changing_container(job, region)}
    return {**changing(job, region), **fixed(job.submission, region), "container": container}


def fixed(asked: Submission, region: str) -> dict[str, Any]:
    """Return what DescribeJobs shows of a submission, the same for all its children, without the container."""
    return {
        "jobName": asked.name,
        "jobQueue": arn(region, f"job-queue/{asked.queue}"),
        "createdAt": asked.created_at,
        "retryStrategy": {
            "attempts": asked.attempts,
            "evaluateOnExit": [_rule(rule) for rule in asked.retry_rules],
        },
        "dependsOn": _dependencies(asked),
        "jobDefinition": arn(region, f"job-definition/{asked.definition}"),
        "parameters": asked.parameters,
        "tags": asked.tags,
        "platformCapabilities": list(asked.platforms),
        **_options(asked),
    }


def fixed_container(asked: Submission) -> dict[str, Any]:
    """Return what DescribeJobs shows of a submission's container, the same for all its children."""
    return {**{name: [] for name in EMPTY_LISTS}, **asked.container}


def changing(job: Job, region: str) -> dict[str, Any]:
    """Return what DescribeJobs shows of what became of a job."""
    job_id = job.id
    shown = {
        "jobArn": arn(region, f"job/{job_id}"),
        "jobId": job_id,
        "status": job.status,
        "attempts": [_attempt(job, attempt, region) for attempt in job.attempts],
        "isCancelled": job.is_cancelled,
        "isTerminated": job.is_terminated,
        **_times(job),
        **_array(job),
    }
    if job.status_reason:
        shown["statusReason"] = job.status_reason
    return shown


def summary(job: Job, region: str) -> dict[str, Any]:
    """Return a job as ListJobs shows it."""
    asked = job.submission
    shown: dict[str, Any] = {
        "jobArn": arn(region, f"job/{job.id}"),
        "jobId": job.id,
        "jobName": asked.name,
        "createdAt": asked.created_at,
        "status": job.status,
        "jobDefinition": arn(region, f"job-definition/{asked.definition}"),
        "capacityUsage": [{"capacityUnit": "VCPU", "quantity": asked.vcpus}],
        "container": {},
        **_times(job),
        **_array(job),
    }
    if asked.share is not None:
        shown["shareIdentifier"] = asked.share
    if job.status_reason:
        shown["statusReason"] = job.status_reason
    if job.attempts:
        shown["container"] = _exit(job.attempts[-1])
    flags = {"isCancelled": job.is_cancelled, "isTerminated": job.is_terminated}
    shown |= {key: True for key, is_so in flags.items() if is_so}
    return shown


def _times(job: Job) -> dict[str, int]:
    """An array's parent has neither: it does not run, and clients take stoppedAt for the end of a container."""
    if isinstance(job, ArrayJob):
        return {}
    times = {"startedAt": job.started_at} if job.started_at is not None else {}
    return times | ({"stoppedAt": job.stopped_at} if job.stopped_at is not None else {})


def _array(job: Job) -> dict[str, Any]:
    if isinstance(job, ArrayJob):
        properties = {
            "size": job.submission.size,
            "statusSummary": {status.value: job.counts[status] for status in Status},
            "statusSummaryLastUpdatedAt": job.counted_at,
        }
        return {"arrayProperties": properties}
    if job.index is not None:
        return {"arrayProperties": {"index": job.index, "statusSummary": {}}}
    return {}


def _options(asked: Submission) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if asked.timeout_s is not None:
        options["timeout"] = {"attemptDurationSeconds": asked.timeout_s}
    if asked.propagate_tags is not None:
        options["propagateTags"] = asked.propagate_tags
    if asked.share is not None:
        options |= {"shareIdentifier": asked.share, "schedulingPriority": asked.priority}
    if asked.resources:
        used = [{"consumableResource": name, "quantity": quantity} for name, quantity in asked.resources]
        options["consumableResourceProperties"] = {"consumableResourceList": used}
    return options


def changing_container(job: Job, region: str) -> dict[str, Any]:
    """Return what DescribeJobs shows of the current attempt's container, or the last one's."""
    shown: dict[str, Any] = {}
    if job.status in LIVE and job.task_id is not None:
        shown = _placed(job, job.task_id, region)
        if job.status is Status.RUNNING:
            shown["logStreamName"] = stream_name(job, job.task_id)
    elif job.attempts:
        last = job.attempts[-1]
        shown = _exit(last) | _placed(job, last.task_id, region) | _stream(job, last)
    return shown


def _attempt(job: Job, attempt: Attempt, region: str) -> dict[str, Any]:
    container = {
        **_placed(job, attempt.task_id, region),
        **_exit(attempt),
        **_stream(job, attempt),
        "networkInterfaces": [],
    }
    shown = {"container": container, "stoppedAt": attempt.stopped_at, "statusReason": attempt.status_reason}
    return shown if attempt.started_at is None else {**shown, "startedAt": attempt.started_at}


def _placed(job: Job, task_id: str, region: str) -> dict[str, Any]:
    cluster = f"{job.environment or 'local'}_Batch"
    ecs = arn(region, "").replace(":batch:", ":ecs:")
    return {
        "taskArn": f"{ecs}task/{cluster}/{task_id}",
        "containerInstanceArn": f"{ecs}container-instance/{cluster}/{'0' * 32}",
    }


def _stream(job: Job, attempt: Attempt) -> dict[str, str]:
    return {} if attempt.started_at is None else {"logStreamName": stream_name(job, attempt.task_id)}


def _exit(attempt: Attempt) -> dict[str, Any]:
    shown = {"exitCode": attempt.exit_code, "reason": attempt.reason}
    return {key: value for key, value in shown.items() if value is not None}


def _rule(rule: RetryRule) -> dict[str, str]:
    shown = {
        key: getattr(rule, field) for key, field in RULE_KEYS.items() if getattr(rule, field) is not None
    }
    return {**shown, "action": rule.action.lower()}


def _dependencies(asked: Submission) -> list[dict[str, str]]:
    shown = []
    for dependency in asked.depends_on:
        entry = {"jobId": dependency.job_id, "type": dependency.kind}
        shown.append({key: value for key, value in entry.items() if value is not None})
    return shown
