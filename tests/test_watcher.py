"""A test session that is killed leaves nothing behind that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
HANGS = """
import subprocess, sys, threading
from pathlib import Path

from local_batch import endpoint


def test_hangs(own_state: Path) -> None:
    endpoint.start(runner="process")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # a client that goes on
    Path(sys.argv[-1]).with_name("ready").touch()
    threading.Event().wait()
"""


def test_a_killed_session_leaves_neither_servers_nor_clients(tmp_path: Path) -> None:
    file = tmp_path / "test_hangs.py"
    file.write_text(HANGS)
    own = tmp_path / "own"
    plugins = ["-p", "tests.conftest", "-p", "no:cacheprovider"]
    session = subprocess.Popen(
        [sys.executable, "-m", "pytest", *plugins, f"--basetemp={own}", "-c", ROOT / "pyproject.toml", file],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    wait_until((tmp_path / "ready").exists)
    there = processes_of(own)
    assert any("local_batch.daemon" in line for line in there.values())
    assert any("weed" in line for line in there.values())
    assert any("sleep(600)" in line for line in there.values())
    session.kill()
    session.wait()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in there))
    assert processes_of(own) == {}


def processes_of(folder: Path) -> dict[int, str]:
    """The command lines of the processes that name the folder, or have their state there, by their ids."""
    found = {}
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if str(folder) in line or str(folder) in process.environ().get("BATCH_PIPELINE_HOME", ""):
                found[process.pid] = line
        except (psutil.Error, OSError):
            continue
    return found
