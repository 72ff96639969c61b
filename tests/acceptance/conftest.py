"""The command as a user types it, on an endpoint of the tests' own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_batch import endpoint
from pipeline.aws import Cloud
from pipeline.storage import Bucket

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_S = 240


@pytest.fixture(scope="session")
def cloud(own_state: Path) -> Iterator[Cloud]:
    """Clients of the endpoint, which runs while the tests do."""
    started = endpoint.start(runner="process")
    yield Cloud(started)
    endpoint.stop()


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, request: pytest.FixtureRequest) -> Bucket:
    """A bucket of the module's own."""
    bucket = Bucket(cloud, request.module.__name__.rpartition(".")[2].replace("_", "-"))
    bucket.create()
    return bucket


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


def run(*words: str | Path, stdin: str = "") -> Answer:
    """`python main.py` with these words, to its end."""
    process = start(*words)
    stdout, stderr = process.communicate(stdin, timeout=TIMEOUT_S)
    return Answer(process.returncode, stdout, stderr)
