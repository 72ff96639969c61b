"""Who asks AWS, and where: said before anything is written, so that the wrong account is seen in time."""

from __future__ import annotations

from pipeline.cloud.session import Cloud, no_region
from pipeline.errors import InputError


def describe_caller(cloud: Cloud) -> str:
    """Account, caller and region, or the address of a Batch that is not AWS's.

    Raises: InputError without a region; botocore's errors.
    """
    check_region(cloud, otherwise="or run here: --queue local")
    url = cloud.batch.meta.endpoint_url
    if ".amazonaws." not in url:
        return f"AWS Batch is at {url}, region {cloud.region}"
    caller = cloud.client("sts").get_caller_identity()
    return f"AWS account {caller['Account']}, region {cloud.region}, as {caller['Arn']}"


def check_region(cloud: Cloud, *, otherwise: str) -> None:
    """A region is set; `otherwise` is another way out. Raises: InputError."""
    if not cloud.region:
        raise InputError(no_region(cloud.where, otherwise=otherwise))
