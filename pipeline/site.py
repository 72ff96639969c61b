"""What the place that a queue is in brings to a job definition: the images' full names, roles and the log group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Cloud
from pipeline.images import resolve
from pipeline.stack.deployment import Deployment, of_queue


@dataclass(frozen=True)
class Site:
    """`images`: a step's image ↔ what it is called there; `container_properties`: what each definition gets.

    `environment`: variables of every job; `input_keys_arn`: the secret for an input bucket of somebody else's.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    container_properties: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    input_keys_arn: str | None = None


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
    if cloud.is_local:
        return Site(resolve.on_this_machine(images))
    region = {"AWS_REGION": cloud.region} if cloud.region else {}  # ECS tells a container on EC2 of none
    if found is None:
        return Site({name: name for name in images}, environment=region)
    return Site(
        resolve.in_repository(cloud.client("ecr"), found, images),
        found.container_properties(),
        region,
        found.input_keys_arn,
    )
