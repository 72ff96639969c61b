"""How a child, and a run, can stand."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Of a child: Batch's seven, and two of our own."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"  # it never started, for a step before it failed
    LOST = "LOST"  # Batch has forgotten it, and it left no marker
    UNKNOWN = "UNKNOWN"  # Batch does not list it, and it is too soon to call it lost

    @property
    def has_ended(self) -> bool:
        """Whether it stays so."""
        return self in {Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.LOST}


class RunState(StrEnum):
    """Of a run."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
