"""Waiting for what another process does."""

from __future__ import annotations

import threading
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """The condition holds. Raises: TimeoutError."""
    tick, ticks = threading.Event(), int(timeout_s / 0.1)
    if not any(condition() or tick.wait(0.1) for _ in range(ticks)):
        raise TimeoutError(condition)
