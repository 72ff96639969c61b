"""`teardown`: the stack and what was registered for it are gone; the bucket stays unless it is named."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.aws import plain_errors
from pipeline.errors import InputError, Problem
from pipeline.screen import say
from pipeline.stack import ask, bucket
from pipeline.stack.account import Account
from pipeline.stack.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_batch.literals import JobStatusType

UNFINISHED: tuple[JobStatusType, ...] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


def run(options: argparse.Namespace) -> int:
    """Nothing of the stack is left, but for what the last lines name."""
    account = Account(options.profile, options.region)
    with plain_errors(account.where):
        stack = Stack(account, options.stack)
        if stack.describe() is None:
            say(f"there is no stack {stack.name!r} in {account.where}: nothing to delete")
            return 0
        return _tear_down(stack, options)


def _tear_down(stack: Stack, options: argparse.Namespace) -> int:
    outputs, name = stack.outputs(), stack.parameters().get("BucketName", "")
    _check_bucket(options.delete_bucket, name)
    queues = [outputs[key] for key in ("Queue", "OnDemandQueue") if key in outputs]
    definitions = list(_definitions(stack.account, outputs.get("JobRoleArn")))
    say(
        f"account {stack.account.id}, region {stack.account.region}, stack {stack.name}: it will be deleted with",
        f"  its queues and {_unfinished_jobs(stack.account, queues)} jobs that have not ended",
        f"  its images, its logs and {len(definitions)} job definitions",
        *([f"  the bucket {name} and ALL THAT IS IN IT"] if options.delete_bucket else []),
    )
    if not (options.yes or ask.confirm("Go ahead?")):
        say("nothing was deleted")
        return 0
    for definition in definitions:
        stack.account.batch.deregister_job_definition(jobDefinition=definition)
    stack.delete()
    say(f"deleted: the stack {stack.name}")
    _end_of_bucket(stack.account, name, is_deleted=bool(options.delete_bucket))
    return 0


def _check_bucket(given: str | None, name: str) -> None:
    if given and given != name:
        fix = f"--delete-bucket {name}, or leave it out to keep the bucket"
        raise InputError(Problem(f"{given!r} is not the stack's bucket", "--delete-bucket", fix))


def _definitions(account: Account, job_role_arn: str | None) -> Iterator[str]:
    """The ARNs of the active job definitions that use the stack's role."""
    for page in account.batch.get_paginator("describe_job_definitions").paginate(status="ACTIVE"):
        for definition in page["jobDefinitions"]:
            role = definition.get("containerProperties", {}).get("jobRoleArn")
            if role and role == job_role_arn:
                yield definition["jobDefinitionArn"]


def _unfinished_jobs(account: Account, queues: list[str]) -> int:
    pages = account.batch.get_paginator("list_jobs")
    counts = (
        len(page["jobSummaryList"])
        for queue in queues
        for status in UNFINISHED
        for page in pages.paginate(jobQueue=queue, jobStatus=status)
    )
    return sum(counts)


def _end_of_bucket(account: Account, name: str, *, is_deleted: bool) -> None:
    if is_deleted:
        say(f"deleted: the bucket {name} and {bucket.delete(account, name)} objects")
    elif name and bucket.exists(account, name):
        say(
            f"left: the bucket s3://{name} (it costs storage; python main.py setup --bucket {name} takes it up again)"
        )
    say("left: the account's role AWSServiceRoleForBatch, which costs nothing and other queues may use")
