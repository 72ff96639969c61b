"""The command as a user types it, in a process of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_S = 240
TYPED = "python main.py"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def start(*words: str | Path) -> subprocess.Popen[str]:
    """`python main.py` with these words, in a process of its own."""
    command = [sys.executable, ROOT / "main.py", *words]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str], stdin: str = "") -> Answer:
    """The process has ended, and this is its answer."""
    stdout, stderr = process.communicate(stdin, timeout=TIMEOUT_S)
    return Answer(process.returncode, stdout, stderr)


def run(*words: str | Path, stdin: str = "") -> Answer:
    """`python main.py` with these words, to its end."""
    return end(start(*words), stdin)


def run_line(line: str, folder: Path = ROOT) -> Answer:
    """A line that names `python main.py`, as a shell takes it that stands in the folder."""
    command = line.replace(TYPED, shlex.join([sys.executable, str(ROOT / "main.py")]))
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
