"""Attempts as processes of this machine: a session each, its own scratch folder, its output straight to its log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil

from local_batch.job import OUT_OF_MEMORY, START_FAILED, Outcome
from local_batch.launch import SERVER_MARK, Launch
from local_batch.memory import MemoryWatch
from local_batch.warm import WarmStart

NOTHING = os.open(os.devnull, os.O_RDONLY)
SIGNALLED = 128  # a shell's and docker's exit code for a signal: 128 + its number
SWEEP_WITHIN_S = 10.0
LOOK_AGAIN_S = 0.01  # a ghost may have forked while it was looked for
CHECKOUT = Path(__file__).resolve().parent.parent
PATH = os.environ.get("PATH", os.defpath)
OWN_PATH = f"{Path(sys.executable).parent}:{PATH}"  # fetch_and_run and its scripts find this Python first
LANG = os.environ.get("LANG", "C.UTF-8")
FETCH_AND_RUN = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('fetch_and_run', run_name='__main__', alter_sys=True)"
)


class ProcessRunner:
    """Runs each attempt as the leader of a session of its own."""

    def __init__(self) -> None:
        self._running: dict[str, Started] = {}
        self._warm = WarmStart({"PATH": OWN_PATH, "LANG": LANG}) if sys.platform == "linux" else None
        self._lock = threading.Lock()
        self._memory = MemoryWatch()

    def run(self, launch: Launch, started: Callable[[], None]) -> Outcome:
        """Run one attempt to its end and leave none of its processes behind."""
        try:
            process = self._start(launch)
        except (OSError, ValueError) as error:
            return Outcome(reason=f"CannotStartContainerError: {error}"[:255], status_reason=START_FAILED)
        with self._lock:
            self._running[launch.task_id] = process
        self._memory.add(process.pid, launch.memory_mib)
        started()
        process.wait_unreaped()
        with self._lock:
            del self._running[launch.task_id]
        _signal_group(process.pid, signal.SIGKILL)
        code = process.reap()
        if code < 0:  # the leader had no time to end what is in groups of their own
            _kill_session(process.pid)
        reason = OUT_OF_MEMORY if self._memory.remove(process.pid) else None
        return Outcome(exit_code=code if code >= 0 else SIGNALLED - code, reason=reason)

    def _start(self, launch: Launch) -> Started:
        Path(launch.scratch).mkdir()
        if self._warm is not None and is_fetched(launch):
            with contextlib.suppress(OSError):
                return self._warm.spawn(launch, environment(launch))
        return ColdProcess(launch)

    def has(self, task_id: str) -> bool:
        """True while the attempt runs here."""
        with self._lock:
            return task_id in self._running

    def kill(self, task_id: str, *, is_forced: bool) -> None:
        """Signal the attempt's whole process group."""
        with self._lock:
            process = self._running.get(task_id)
            if process is not None:
                _signal_group(process.pid, signal.SIGKILL if is_forced else signal.SIGTERM)

    def sweep(self, server_id: str) -> None:
        """Kill the processes that carry this server's mark, and all of their sessions."""
        deadline = time.monotonic() + SWEEP_WITHIN_S
        while (ghosts := _ghosts(server_id)) and time.monotonic() < deadline:
            for ghost in ghosts:
                with contextlib.suppress(psutil.Error):
                    ghost.kill()
            time.sleep(LOOK_AGAIN_S)


def command(launch: Launch) -> list[str]:
    """Return what a process runs: the command, or fetch_and_run with it where the image's entrypoint would.

    A process has no ENTRYPOINT, so a definition without a command whose environment names a script to fetch is taken
    to be made for the entrypoint that fetches it.
    """
    if is_fetched(launch):
        return [sys.executable, "-c", FETCH_AND_RUN, str(CHECKOUT), *launch.command]
    return launch.command


def is_fetched(launch: Launch) -> bool:
    """True when the job is made for fetch_and_run."""
    return launch.is_command_added and "BATCH_FILE_S3_URL" in launch.environment


def environment(launch: Launch) -> dict[str, str]:
    """Return a process's variables: what an image would set, then the job's. Nothing else of ours goes in."""
    path = OWN_PATH if is_fetched(launch) else PATH
    return {
        "PATH": path,
        "LANG": LANG,
        "HOME": launch.scratch,
        "TMPDIR": launch.scratch,
        **launch.environment,
    }


class Started(Protocol):
    """The leader of a session: its pid is its own until it is reaped, so that its group can be signalled."""

    pid: int

    def wait_unreaped(self) -> None:
        """Return when the process has ended."""
        ...

    def reap(self) -> int:
        """Return the exit code, or minus the number of the signal that ended it."""
        ...


class ColdProcess:
    """A process started in the ordinary way."""

    def __init__(self, launch: Launch) -> None:
        log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                command(launch),
                cwd=launch.scratch,
                env=environment(launch),
                stdin=NOTHING,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self.pid = self._process.pid

    def wait_unreaped(self) -> None:
        """Return when the process has ended."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:  # macOS before Python 3.13
            psutil.Process(self.pid).wait()

    def reap(self) -> int:
        """Return the exit code, or minus the number of the signal that ended it."""
        return self._process.wait()


def _kill_session(leader: int) -> None:
    for process in psutil.process_iter():
        if _session(process.pid) == leader:
            with contextlib.suppress(psutil.Error):
                process.kill()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _ghosts(server_id: str) -> list[psutil.Process]:
    marked = [process for process in psutil.process_iter() if _carries(process, server_id)]
    sessions = {session for process in marked if (session := _session(process.pid)) is not None}
    return marked + [process for process in psutil.process_iter() if _session(process.pid) in sessions]


def _carries(process: psutil.Process, server_id: str) -> bool:
    try:
        return process.environ().get(SERVER_MARK) == server_id
    except (psutil.Error, OSError):
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
