"""The door to the services that only setting up needs."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from pipeline.aws import Cloud


class Account(Cloud):
    """Clients of the account and region that the profile names, or boto3's own rules when it names none."""

    def __init__(self, profile: str | None = None, region: str | None = None) -> None:
        if profile:
            os.environ["AWS_PROFILE"] = profile
        super().__init__(region=region)

    @property
    def region(self) -> str:
        return str(self.s3.meta.region_name)

    @cached_property
    def id(self) -> str:
        """The twelve digits of the account."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def cloudformation(self) -> Any:
        return self.client("cloudformation")

    @cached_property
    def ecr(self) -> Any:
        return self.client("ecr")
