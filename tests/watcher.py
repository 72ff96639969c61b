"""Ends what a test session started, when the session itself was killed and could not.

    python -m tests.watcher FOLDER      FOLDER holds all that the session writes

It waits for the end of its standard input, which the session holds open for as long as it lives.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent


def watch(folder: Path) -> subprocess.Popen[bytes]:
    """A watcher over the folder; it does nothing when it is terminated before its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.watcher", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the session
    )


def main(folder: Path) -> None:
    """No endpoint runs on state below the folder, nor any process that names the folder or stands in it."""
    sys.stdin.buffer.read()
    from local_batch import endpoint  # late: nearly every session ends by itself

    for record in folder.rglob("local/server-id"):
        os.environ["BATCH_PIPELINE_HOME"] = str(record.parent.parent)
        endpoint.stop()
    _kill_all_of(folder)


def _kill_all_of(folder: Path) -> None:
    for process in psutil.process_iter():
        if process.pid != os.getpid() and f"{folder}/" in _told_of(process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _told_of(process: psutil.Process) -> str:
    """A process's words, folder and state folder, in one text; empty for one that is none of ours."""
    try:
        home = process.environ().get("BATCH_PIPELINE_HOME", "")
        return " ".join([*process.cmdline(), f"{process.cwd()}/", f"{home}/"])
    except (psutil.Error, OSError):
        return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
