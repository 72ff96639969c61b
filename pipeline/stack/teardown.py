"""What goes with a stack, and its end: the bucket is left to `bucket.delete`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.stack.account import Account
from pipeline.stack.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_batch.literals import JobStatusType

UNFINISHED: tuple[JobStatusType, ...] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


@dataclass(frozen=True)
class Removal:
    """What a teardown takes: jobs that have not ended, the ARNs of job definitions; `bucket` is named, and stays."""

    bucket: str
    unfinished_jobs: int
    definitions: tuple[str, ...]


def describe_removal(stack: Stack) -> Removal:
    """What the stack has made and would take along; nothing is touched."""
    outputs = stack.outputs()
    queues = [outputs[key] for key in ("Queue", "OnDemandQueue") if key in outputs]
    return Removal(
        bucket=stack.parameters().get("BucketName", ""),
        unfinished_jobs=_count_unfinished(stack.account, queues),
        definitions=tuple(_definitions(stack.account, outputs.get("JobRoleArn"))),
    )


def tear_down(stack: Stack, removal: Removal) -> None:
    """The stack and the definitions of its jobs are gone. Raises: RefusedError with what could not be deleted."""
    for definition in removal.definitions:
        stack.account.batch.deregister_job_definition(jobDefinition=definition)
    stack.delete()


def _definitions(account: Account, job_role_arn: str | None) -> Iterator[str]:
    """The ARNs of the active job definitions that use the stack's role."""
    for page in account.batch.get_paginator("describe_job_definitions").paginate(status="ACTIVE"):
        for definition in page["jobDefinitions"]:
            role = definition.get("containerProperties", {}).get("jobRoleArn")
            if role and role == job_role_arn:
                yield definition["jobDefinitionArn"]


def _count_unfinished(account: Account, queues: list[str]) -> int:
    pages = account.batch.get_paginator("list_jobs")
    counts = (
        len(page["jobSummaryList"])
        for queue in queues
        for status in UNFINISHED
        for page in pages.paginate(jobQueue=queue, jobStatus=status)
    )
    return sum(counts)
