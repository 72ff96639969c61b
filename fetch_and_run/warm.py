"""fetch_and_run kept warm: on request it forks a process that is past Python's start and the usual imports.

    python -m fetch_and_run.warm

A line of standard input asks for a process, or lets go of one that ended; a line of standard output tells of its end:

    → {"id": "7", "arguments": ["steps/picard.py"], "environment": {…}, "folder": "/scratch/7", "log": "/logs/7"}
    ← {"id": "7", "pid": 4242}
    ← {"id": "7", "exit_code": 0}                   negative: the number of the signal that ended it
    → {"forget": "7"}

The process is what `python -m fetch_and_run ARGUMENTS` is with that environment, working folder and log: the leader of
a session of its own. Until it is forgotten its pid is not given to another. When the input ends, every process of
every session is killed: whoever asked for them is gone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import sys
from typing import Any

from fetch_and_run.supervise import main

USUAL = (
    "concurrent.futures",
    "gzip",
    "hashlib",
    "obstore.store",
    "runpy",
    "sh",
    "fetch_and_run.fetch",
    "fetch_and_run.launch",
)


class Nursery:
    """The processes that were asked for and not forgotten, by id."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.ended: set[str] = set()

    def take(self, line: bytes) -> None:
        """One request is carried out."""
        request = json.loads(line)
        if "forget" in request:
            self.ended.discard(request["forget"])
            os.waitpid(self.pids.pop(request["forget"]), 0)
            return
        pid = os.fork()
        if pid == 0:
            os._exit(_become(request))
        self.pids[request["id"]] = pid
        _answer(id=request["id"], pid=pid)

    def tell(self) -> None:
        """Every process that ended since the last time is told of."""
        for name, pid in self.pids.items():
            if name not in self.ended:
                end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if end is not None:
                    self.ended.add(name)
                    _answer(
                        id=name, exit_code=end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
                    )

    def kill(self) -> None:
        """No process is left that was asked for, nor what it started."""
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(
                    pid, signal.SIGTERM
                )  # fetch_and_run passes it on, and ends what is left of the program
        for pid in self.pids.values():
            os.waitpid(pid, 0)


def _become(request: dict[str, Any]) -> int:
    """This fork is fetch_and_run, run to its end; returns its exit code."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.closerange(3, max(log, nothing) + 1)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    exit_code = main(request["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    return exit_code


def _answer(**told: object) -> None:
    os.write(1, json.dumps(told).encode() + b"\n")


def serve() -> None:
    """Requests are served until the input ends."""
    for name in USUAL:
        with contextlib.suppress(ImportError):
            __import__(name)
    gc.freeze()  # what is imported stays shared between the forks
    wakes, wake = os.pipe()
    for end in (wakes, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    nursery, rest = Nursery(), b""
    with selectors.DefaultSelector() as ready:
        ready.register(0, selectors.EVENT_READ)
        ready.register(wakes, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd == wakes:
                    os.read(wakes, 4096)
                    nursery.tell()
                    continue
                more = os.read(0, 1 << 16)
                if not more:
                    nursery.kill()
                    return
                *lines, rest = (rest + more).split(b"\n")
                for line in lines:
                    nursery.take(line)


if __name__ == "__main__":
    serve()
