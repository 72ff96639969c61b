"""Attempts as processes of this machine: a session each, its own scratch folder, its output straight to its log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from local_batch.job import OUT_OF_MEMORY, START_FAILED, Outcome
from local_batch.launch import SERVER_MARK, Launch
from local_batch.memory import MemoryWatch

SIGNALLED = 128  # a shell's and docker's exit code for a signal: 128 + its number
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
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._memory = MemoryWatch()

    def run(self, launch: Launch, started: Callable[[], None]) -> Outcome:
        """Run one attempt to its end and leave none of its processes behind."""
        try:
            process = _spawn(launch)
        except (OSError, ValueError) as error:
            return Outcome(reason=f"CannotStartContainerError: {error}"[:255], status_reason=START_FAILED)
        with self._lock:
            self._running[launch.task_id] = process
        self._memory.add(process.pid, launch.memory_mib)
        started()
        _wait_unreaped(process.pid)
        with self._lock:
            del self._running[launch.task_id]
        _signal_group(process.pid, signal.SIGKILL)
        code = process.wait()
        reason = OUT_OF_MEMORY if self._memory.remove(process.pid) else None
        return Outcome(exit_code=code if code >= 0 else SIGNALLED - code, reason=reason)

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
        ghosts = [process for process in psutil.process_iter() if _carries(process, server_id)]
        sessions = {session for ghost in ghosts if (session := _session(ghost.pid)) is not None}
        ghosts += [process for process in psutil.process_iter() if _session(process.pid) in sessions]
        for ghost in ghosts:
            with contextlib.suppress(psutil.Error):
                ghost.kill()
        psutil.wait_procs(ghosts, timeout=10)


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


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    Path(launch.scratch).mkdir()
    log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command(launch),
            cwd=launch.scratch,
            env=environment(launch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _wait_unreaped(pid: int) -> None:
    """Return when the process has ended, its pid still its own: until it is reaped its group can be signalled."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    else:  # macOS before Python 3.13
        psutil.Process(pid).wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


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
