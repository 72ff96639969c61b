"""The template's parameters that nobody types: what they are now, and whether the stack makes its bucket."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.stack import bucket
from pipeline.stack.stack import Stack


def known_parameters(stack: Stack) -> dict[str, str]:
    """What the stack has now, and a name for a bucket where it has none."""
    account = stack.account
    return {"BucketName": f"{stack.name}-{account.id}-{account.region}", **stack.parameters()}


def with_bucket(stack: Stack, chosen: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The chosen parameters, and with them whether the stack makes the bucket or finds it there.

    Raises: InputError where the bucket is somebody else's.
    """
    if "CreateBucket" in known and chosen["BucketName"] == known["BucketName"]:
        return {**chosen, "CreateBucket": known["CreateBucket"]}
    is_there = bucket.exists(stack.account, chosen["BucketName"])
    return {**chosen, "CreateBucket": "no" if is_there else "yes"}
