"""Kills what outgrows its memory: the processes of a session, added up a few times a second.

A cgroup would do it better and needs root; address-space limits stop Java at once. Resident sets are quick to read and
count shared pages again for every process, so a session over its limit is added up once more without them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

import psutil

EVERY_S = 0.25
BUSY_SHARE = 0.05  # of one core, at most, goes into looking
MIB = 1 << 20
HAS_SHARES = sys.platform == "linux"  # only there does a process know its share of what it shares


class MemoryWatch:
    """Looks at the sessions it was given while there are any."""

    def __init__(self) -> None:
        self._limits: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._killed: set[int] = set()
        self._changed = threading.Condition()
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def add(self, leader: int, limit_mib: int) -> None:
        """Hold this session to its limit."""
        with self._changed:
            self._limits[leader] = limit_mib * MIB
            self._since[leader] = time.monotonic()
            if len(self._limits) == 1:
                self._changed.notify()

    def remove(self, leader: int) -> bool:
        """Let go of a session; true when it was killed for its memory."""
        with self._changed:
            self._limits.pop(leader, None)
            self._since.pop(leader, None)
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
        before = time.monotonic() - EVERY_S
        with self._changed:
            limits = {leader: limit for leader, limit in self._limits.items() if self._since[leader] < before}
        if not limits:
            return
        for leader, processes in processes_by_session(set(limits)).items():
            is_suspect = sum(resident for _, resident in processes) > limits[leader]
            if is_suspect and _own_bytes([process for process, _ in processes]) > limits[leader]:
                self._kill(leader)

    def _kill(self, leader: int) -> None:
        with self._changed:
            if leader in self._limits and leader not in self._killed:
                self._killed.add(leader)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(leader, signal.SIGKILL)


def processes_by_session(leaders: set[int]) -> dict[int, list[tuple[psutil.Process, int]]]:
    """Return the processes of these sessions with their resident bytes; one that left its session still counts."""
    seen: dict[int, tuple[int, int, int]] = {}
    processes = list(psutil.process_iter())
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            seen[process.pid] = (process.ppid(), os.getsid(process.pid), process.memory_info().rss)
    found: dict[int, list[tuple[psutil.Process, int]]] = {leader: [] for leader in leaders}
    for process in processes:
        owner = _owner(process.pid, seen, leaders)
        if owner is not None:
            found[owner].append((process, seen[process.pid][2]))
    return found


def _own_bytes(processes: list[psutil.Process]) -> int:
    """Return what these processes take together, memory that they share counted once (on macOS: not at all)."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            full = process.memory_full_info()
            total += getattr(full, "pss", full.uss)
    return total


def _owner(pid: int, seen: dict[int, tuple[int, int, int]], leaders: set[int]) -> int | None:
    while pid in seen:
        parent, session, _ = seen[pid]
        if session in leaders:
            return session
        pid = parent if parent != pid else 0
    return None
