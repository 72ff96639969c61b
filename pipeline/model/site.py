"""What the place that a queue is in brings to a job definition: the images' full names, roles and the log group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Site:
    """`images`: a step's image ↔ what it is called there; `container_properties`: what each definition gets.

    `environment`: variables of every job; `input_keys_arn`: the secret for an input bucket of somebody else's.
    `contents`: a step's image ↔ what it is made of: a digest where one is known, else its name.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    container_properties: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    input_keys_arn: str | None = None
    contents: Mapping[str, str] = field(default_factory=dict)
