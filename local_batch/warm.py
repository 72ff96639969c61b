"""Starting fetch_and_run without Python's own start: the warm one forks, a line of JSON asks and a line answers.

Its protocol is in fetch_and_run/warm.py. It needs fork without threads, which is Linux's; elsewhere, and where it
cannot start, a process is started in the ordinary way.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from local_batch.launch import SERVER_MARK, Launch

CHECKOUT = Path(__file__).resolve().parent.parent
BOOT = "import sys; sys.path[0] = sys.argv.pop(1); from fetch_and_run.warm import serve; serve()"
KILLED = -9
Answer = dict[str, Any]


class WarmProcess:
    """One forked process: the leader of a session, whose pid is its own until `reap`."""

    def __init__(self, name: str, parent: WarmStart) -> None:
        self._name = name
        self._parent = parent
        self.answers: SimpleQueue[Answer | None] = SimpleQueue()
        self.pid = 0

    def wait_unreaped(self) -> None:
        """Return when the process has ended."""
        answer = self.answers.get()
        self._exit_code = answer["exit_code"] if answer is not None else KILLED

    def reap(self) -> int:
        """Return the exit code, or minus the signal that ended it; the pid may be another's from now on."""
        self._parent.forget(self._name)
        return int(self._exit_code)


class WarmStart:
    """The warm fetch_and_run of one server, started with the first process that is asked for, and only once."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._parent: subprocess.Popen[bytes] | None = None
        self._processes: dict[str, WarmProcess] = {}

    def spawn(self, launch: Launch, environment: dict[str, str]) -> WarmProcess:
        """Return the attempt's process, started. Raises: OSError when the warm one cannot be asked."""
        self._environment.setdefault(
            SERVER_MARK, launch.environment[SERVER_MARK]
        )  # so that a sweep finds its forks
        process = WarmProcess(launch.task_id, self)
        request = {
            "id": launch.task_id,
            "arguments": launch.command,
            "environment": environment,
            "folder": launch.scratch,
            "log": launch.log,
        }
        with self._lock:
            self._processes[launch.task_id] = process
            self._ask(request)
        answer = process.answers.get()
        if answer is None:
            raise OSError("fetch_and_run ended before it started the job")
        process.pid = answer["pid"]
        return process

    def forget(self, name: str) -> None:
        """The process is reaped."""
        with self._lock:
            if self._processes.pop(name, None) is not None:
                with contextlib.suppress(OSError):
                    self._ask({"forget": name})

    def _ask(self, request: dict[str, Any]) -> None:
        parent = self._started()
        assert parent.stdin is not None
        parent.stdin.write(json.dumps(request).encode() + b"\n")
        parent.stdin.flush()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._parent is None:
            self._parent = subprocess.Popen(
                [sys.executable, "-c", BOOT, str(CHECKOUT)],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            threading.Thread(target=self._read, args=(self._parent,), daemon=True).start()
        elif self._parent.poll() is not None:
            raise OSError("the warm fetch_and_run has ended")
        return self._parent

    def _read(self, parent: subprocess.Popen[bytes]) -> None:
        assert parent.stdout is not None
        for line in parent.stdout:
            answer = json.loads(line)
            process = self._processes.get(answer["id"])
            if process is not None:
                process.answers.put(answer)
        with self._lock:  # it has gone, and with it the ends of all that it started
            for process in self._processes.values():
                process.answers.put(None)
            self._processes.clear()
