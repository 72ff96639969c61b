"""The door to the services that only setting up needs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pipeline.cloud.identity import check_region
from pipeline.cloud.session import Cloud


class Account(Cloud):
    """Clients of the account and region that the profile names, or boto3's own rules when it names none.

    Raises: InputError for a profile that there is not, and without a region.
    """

    def __init__(self, profile: str | None = None, region: str | None = None) -> None:
        super().__init__(profile=profile, region=region)
        check_region(self, otherwise="or give --region")

    @property
    def region(self) -> str:
        return self._session.region_name or ""

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
