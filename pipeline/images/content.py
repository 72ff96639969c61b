"""What a step's image is made of, for fingerprints: a tag may be moved to other content, a digest may not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from botocore.exceptions import ClientError

from pipeline.cloud.session import Cloud, error_code
from pipeline.errors import InputError
from pipeline.images.engine import Engine
from pipeline.images.image import Image, is_ours
from pipeline.images.registry import Repository

# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
IN_ECR = re.compile(
    r"(?P<uri>\d{12}\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/[^:@]+)(:(?P<tag>[^:@]+))?"
)
PASSING = {"ThrottlingException", "TooManyRequestsException", "ServerException"}
ANY_ARCHITECTURE = ""


def contents(cloud: Cloud, names: Iterable[str]) -> dict[str, str]:
    """Step's image ↔ its content."""
    return {name: content(cloud, name) for name in names}


def content(cloud: Cloud, name: str) -> str:
    """A digest of what the image holds, as the registry or this machine's engine has it; where neither says, its name.

    An image of dockerfiles/ is what its files are. Raises: botocore's errors, but for refusals.
    """
    if is_ours(name):
        return Image(name, ANY_ARCHITECTURE).content
    if "@sha256:" in name:
        return name.rpartition("@")[2]
    found = _on_this_machine(name) if cloud.is_local else _in_ecr(cloud, name)
    return found or name


def _on_this_machine(name: str) -> str | None:
    try:
        return Engine().digest(name)
    except InputError:  # no engine is installed
        return None


def _in_ecr(cloud: Cloud, name: str) -> str | None:
    """The tag's digest; None in any other registry, and where the caller may not ask."""
    named = IN_ECR.fullmatch(name)
    if not named:
        return None
    ecr = cloud.client("ecr", region=named["region"])
    try:
        return Repository(ecr, named["uri"]).digest(named["tag"] or "latest")
    except ClientError as error:
        if error_code(error) in PASSING:  # the name today and the digest tomorrow would make every result new
            raise
        return None
