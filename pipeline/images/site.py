"""The site of a queue, found: this machine, a stack that `setup` made, or any other."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.cloud.session import Cloud
from pipeline.images import resolve
from pipeline.images.content import contents
from pipeline.model.site import Site
from pipeline.stack.deployment import Deployment, of_queue


def find_site(cloud: Cloud, queue: str, images: Iterable[str]) -> Site:
    """The site of a queue: this machine, a stack that `setup` made, or any other, whose images are named in full.

    Raises: InputError when the stack is not ready, or its repository lacks an image.
    """
    return describe_site(cloud, find_deployment(cloud, queue), images)


def find_deployment(cloud: Cloud, queue: str) -> Deployment | None:
    """The stack that a queue belongs to; None on this machine and for a queue that `setup` did not make.

    Raises: InputError when the stack is not ready.
    """
    return None if cloud.is_local else of_queue(cloud.batch, cloud.client("cloudformation"), queue)


def describe_site(cloud: Cloud, found: Deployment | None, images: Iterable[str]) -> Site:
    """The site of that stack, or of none. Raises: InputError when the stack's repository lacks an image."""
    names = sorted(set(images))
    if cloud.is_local:
        return Site(resolve.on_this_machine(names), contents=contents(cloud, names))
    region = {"AWS_REGION": cloud.region} if cloud.region else {}  # ECS tells a container on EC2 of none
    if found is None:
        called = {name: name for name in names}
        return Site(called, environment=region, contents=contents(cloud, names))
    return Site(
        resolve.in_repository(cloud.client("ecr"), found, names),
        found.container_properties(),
        region,
        found.input_keys_arn,
        contents(cloud, names),
    )
