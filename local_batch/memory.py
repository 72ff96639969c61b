"""Kills what outgrows its memory: the resident sets of a session, added up a few times a second.

A cgroup would do it better and needs root; address-space limits stop Java at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time

import psutil

EVERY_S = 0.25
BUSY_SHARE = 0.05  # of one core, at most, goes into looking
MIB = 1 << 20


class MemoryWatch:
    """Looks at the sessions it was given while there are any."""

    def __init__(self) -> None:
        self._limits: dict[int, int] = {}
        self._killed: set[int] = set()
        self._changed = threading.Condition()
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def add(self, leader: int, limit_mib: int) -> None:
        """Hold this session to its limit."""
        with self._changed:
            self._limits[leader] = limit_mib * MIB
            if len(self._limits) == 1:
                self._changed.notify()

    def remove(self, leader: int) -> bool:
        """Let go of a session; true when it was killed for its memory."""
        with self._changed:
            self._limits.pop(leader, None)
            was_killed = leader in self._killed
            self._killed.discard(leader)
            return was_killed

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._limits)
            began = time.perf_counter()
            self._look()
            took_s = time.perf_counter() - began
            time.sleep(max(EVERY_S, took_s / BUSY_SHARE))

    def _look(self) -> None:
        with self._changed:
            limits = dict(self._limits)
        for leader, used in memory_by_session(set(limits)).items():
            if used > limits[leader]:
                self._kill(leader)

    def _kill(self, leader: int) -> None:
        with self._changed:
            if leader in self._limits and leader not in self._killed:
                self._killed.add(leader)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(leader, signal.SIGKILL)


def memory_by_session(leaders: set[int]) -> dict[int, int]:
    """Return the resident bytes of these sessions; a descendant that left its session still counts."""
    seen: dict[int, tuple[int, int, int]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            seen[process.pid] = (process.ppid(), os.getsid(process.pid), process.memory_info().rss)
    used = dict.fromkeys(leaders, 0)
    for pid, (_, _, resident) in seen.items():
        owner = _owner(pid, seen, leaders)
        if owner is not None:
            used[owner] += resident
    return used


def _owner(pid: int, seen: dict[int, tuple[int, int, int]], leaders: set[int]) -> int | None:
    while pid in seen:
        parent, session, _ = seen[pid]
        if session in leaders:
            return session
        pid = parent if parent != pid else 0
    return None
