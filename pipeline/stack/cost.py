"""What the stack costs, before anyone agrees to it."""

from __future__ import annotations

from collections.abc import Mapping

# List prices of us-east-1 in US dollars, rounded; https://aws.amazon.com/pricing/ has today's.
VCPU_HOUR = 0.05  # m6i and c6i on demand
SPOT_SHARE = 0.4  # what Spot costs of that, as a rule
DISK_GIB_HOUR = 0.08 / 730  # gp3
BUCKET_GB_MONTH = 0.023
IMAGES_GB_MONTH = 0.10
SECRET_MONTH = 0.40


def note(parameters: Mapping[str, str]) -> str:
    """Lines that say what is paid while idle, while running, and at the very most."""
    vcpus, disk = int(parameters["MaxvCpus"]), int(parameters["VolumeSizeGiB"])
    secret = f", the secret ${SECRET_MONTH:.2f} a month" if parameters["ForeignInputBucket"] else ""
    return (
        "What it costs (US dollars, list prices of us-east-1; other regions differ)\n"
        f"  idle     no machine runs; storage only: bucket ${BUCKET_GB_MONTH} a GB and month, "
        f"images ${IMAGES_GB_MONTH:.2f}{secret}\n"
        f"  running  about ${VCPU_HOUR} a vCPU and hour on demand, ${VCPU_HOUR * SPOT_SHARE:.2f} on Spot; "
        f"${disk * DISK_GIB_HOUR:.2f} an hour for each machine's {disk} GiB disk\n"
        f"  at most  {vcpus} vCPUs on Spot and {vcpus} on demand at once: "
        f"about ${vcpus * VCPU_HOUR * (1 + SPOT_SHARE):.0f} an hour"
    )
