"""What an endpoint is started with."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

MEMORY_SHARE = 0.9  # the rest is for the system and the two servers
MIB = 1 << 20
IDLE_S = 1800.0


def machine_vcpus() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_memory_mib() -> int:
    """Return most of the machine's memory."""
    return int(psutil.virtual_memory().total * MEMORY_SHARE) // MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """One endpoint's settings; `s3_url` is an S3 endpoint that somebody else runs."""

    region: str
    vcpus: int
    memory_mib: int
    runner: str = "auto"
    s3_url: str | None = None
    with_s3: bool = True
    idle_s: float = IDLE_S
