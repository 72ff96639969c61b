"""How much memory a queue's machines have, as EC2 describes their types: Batch itself does not tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from pipeline.cloud.session import Cloud, error_code

CHOSEN_BY_BATCH = ("optimal", "default_x86_64", "default_arm64")


def largest_memory_mib(cloud: Cloud, environments: Iterable[Mapping[str, Any]]) -> int | None:
    """The memory of the largest machine; None on this machine, where Batch chooses, or the caller may not ask.

    Source: https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html (instanceTypes)
    """
    types: set[str] = set()
    for environment in environments:
        named = environment.get("computeResources", {}).get("instanceTypes", CHOSEN_BY_BATCH)
        types.update(named or CHOSEN_BY_BATCH)
    if cloud.is_local or not types or types.intersection(CHOSEN_BY_BATCH):
        return None
    patterns = [name if "." in name else f"{name}.*" for name in sorted(types)]
    wanted = [{"Name": "instance-type", "Values": patterns}]
    try:
        pages = list(cloud.client("ec2").get_paginator("describe_instance_types").paginate(Filters=wanted))
    except ClientError as error:
        if error_code(error) != "UnauthorizedOperation":
            raise
        return None
    return max(
        (int(one["MemoryInfo"]["SizeInMiB"]) for page in pages for one in page["InstanceTypes"]), default=None
    )
