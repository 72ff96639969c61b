"""What the stack costs, before anyone agrees to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# List prices of us-east-1 in US dollars, rounded; https://aws.amazon.com/pricing/ has today's.
VCPU_HOUR = 0.05  # m6i and c6i on demand
SPOT_SHARE = 0.4  # what Spot costs of that, as a rule
DISK_GIB_HOUR = 0.08 / 730  # gp3
BUCKET_GB_MONTH = 0.023
IMAGES_GB_MONTH = 0.10
SECRET_MONTH = 0.40


@dataclass(frozen=True)
class Cost:
    """What is paid for a stack of that size; `max_vcpus` on Spot and as many on demand."""

    max_vcpus: int
    disk_gib: int
    has_secret: bool

    @property
    def disk_hour(self) -> float:
        """US dollars an hour for the disk of one machine."""
        return self.disk_gib * DISK_GIB_HOUR

    @property
    def most_hour(self) -> float:
        """US dollars an hour when every vCPU runs, on Spot and on demand."""
        return self.max_vcpus * VCPU_HOUR * (1 + SPOT_SHARE)


def cost_of(parameters: Mapping[str, str]) -> Cost:
    """The cost of a stack with these parameters."""
    return Cost(
        max_vcpus=int(parameters["MaxvCpus"]),
        disk_gib=int(parameters["VolumeSizeGiB"]),
        has_secret=bool(parameters["ForeignInputBucket"]),
    )
