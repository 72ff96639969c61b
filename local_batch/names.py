"""Names, ids and ARNs of Batch's resources."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

from local_batch.errors import ClientError

ACCOUNT = "000000000000"
NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
JOB_NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"
)  # https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html


class DefinitionName(NamedTuple):
    """`name`, `name:3` or either's ARN; no revision means the latest active one."""

    name: str
    revision: int | None


def arn(region: str, resource: str) -> str:
    """Return the ARN of `job/…`, `job-queue/…`, `job-definition/…` and so on."""
    return f"arn:aws:batch:{region}:{ACCOUNT}:{resource}"


def new_id() -> str:
    """Return a new job id: a lower-case UUIDv4."""
    return str(uuid.uuid4())


def short(name_or_arn: str, kind: str) -> str:
    """Return the name from a name or from an ARN of that kind."""
    marker = f":{kind}/"
    return (
        name_or_arn.split(marker, 1)[1]
        if name_or_arn.startswith("arn:") and marker in name_or_arn
        else name_or_arn
    )


def definition_name(name_or_arn: str) -> DefinitionName:
    """Split a job definition's name or ARN into name and revision."""
    name, colon, revision = short(name_or_arn, "job-definition").partition(":")
    if colon and not revision.isdecimal():
        raise ClientError(f"JobDefinition {name_or_arn} not found.")
    return DefinitionName(name, int(revision) if colon else None)


def check_name(name: str, what: str) -> None:
    """Pass when a resource may carry this name."""
    if not NAME.fullmatch(name):
        raise ClientError(
            f"{what} should match valid pattern: letters, digits, hyphens and underscores, at most 128"
        )


def check_job_name(name: str) -> None:
    """Pass when a job may carry this name."""
    if not JOB_NAME.fullmatch(name):
        raise ClientError("Job name should match valid pattern")
