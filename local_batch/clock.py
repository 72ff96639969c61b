"""The time, as a thing that is passed in: a test turns its own clock."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, as all of Batch's times are."""
        return time.time_ns() // 1_000_000

    def wait(self, changed: threading.Condition, until_ms: int | None) -> None:
        """Return when `changed` is notified or that time has come; the caller holds the lock."""
        changed.wait(None if until_ms is None else max(0, until_ms - self.now_ms()) / 1000)


class HandClock(Clock):
    """A clock that moves when it is told to."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._moved: list[threading.Condition] = []

    def now_ms(self) -> int:
        """Return the time it was set to."""
        return self._now_ms

    def wait(self, changed: threading.Condition, until_ms: int | None) -> None:
        """Return when `changed` is notified, which `advance` does too."""
        if changed not in self._moved:
            self._moved.append(changed)
        if until_ms is None or until_ms > self._now_ms:
            changed.wait()

    def advance(self, seconds: float) -> None:
        """Move the time on and wake whoever waits for it."""
        self._now_ms += round(seconds * 1000)
        for condition in list(self._moved):
            with condition:
                condition.notify_all()
