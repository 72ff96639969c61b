"""The lab's bucket, which is made with the stack and outlives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.cloud.session import error_code
from pipeline.errors import InputError, Problem
from pipeline.stack.account import Account

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef


def exists(account: Account, name: str) -> bool:
    """Whether the bucket is there and ours. Raises: InputError where it is somebody else's."""
    try:
        account.s3.head_bucket(Bucket=name, ExpectedBucketOwner=account.id)
    except ClientError as error:
        if error_code(error) in {"404", "NoSuchBucket"}:
            return False
        if error_code(error) in {"403", "AccessDenied"}:
            fix = "choose another name: bucket names are shared by all of AWS"
            raise InputError(Problem(f"the bucket {name!r} is not yours", "--bucket", fix)) from error
        raise
    return True


def delete(account: Account, name: str) -> int:
    """The bucket is gone with all its objects and their versions; returns how many there were."""
    deleted = 0
    for page in account.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": item["Key"], "VersionId": item["VersionId"]} for item in found
        ]
        if objects:  # a page holds no more than one call deletes
            account.s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
        deleted += len(objects)
    account.s3.delete_bucket(Bucket=name)
    return deleted
