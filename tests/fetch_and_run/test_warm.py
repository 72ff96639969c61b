"""The warm fetch_and_run: what it forks is what a process of its own would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fetch_and_run.s3_server import BUCKET, ROOT, Bucket
from tests.waiting import wait_until


class Warm:
    """The process, and the lines that go in and out."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder
        self._ends: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fetch_and_run.warm"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "ONLY": "the parent's"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, name: str, bucket: Bucket, script: str, *arguments: str) -> int:
        """The pid of a process that runs the script."""
        bucket.put(f"code/{name}.sh", script)
        told = {"BATCH_FILE_TYPE": "script", "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/{name}.sh"}
        request = {
            "id": name,
            "arguments": arguments,
            "environment": {**self.environment, **told},
            "folder": str(self.folder),
            "log": str(self.log(name)),
        }
        self.log(name).touch()
        self.send(request)
        while "pid" not in (answer := self._read()):
            self._ends.append(answer)
        return int(answer["pid"])

    def send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next end that is told of."""
        return self._ends.pop(0) if self._ends else self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@pytest.fixture
def warm(environment: dict[str, str], tmp_path: Path) -> Iterator[Warm]:
    warm = Warm(environment, tmp_path)
    yield warm
    if warm.process.stdin and not warm.process.stdin.closed:
        warm.process.stdin.close()
    warm.process.wait(timeout=30)


def test_a_fork_runs_the_program_with_its_own_variables_folder_and_log(warm: Warm, bucket: Bucket) -> None:
    warm.ask("a", bucket, '#!/bin/sh\necho "$1 ${ONLY:-none} $(pwd)"\nexit 3\n', "one")
    assert warm.answer() == {"id": "a", "exit_code": 3}
    assert warm.log("a").read_text() == f"one none {warm.folder}\n"


def test_a_fork_leads_a_session_and_is_not_reaped_until_forgotten(warm: Warm, bucket: Bucket) -> None:
    pid = warm.ask("a", bucket, "#!/bin/sh\ncut -d' ' -f6 /proc/$$/stat\n")
    warm.answer()
    assert int(warm.log("a").read_text()) == pid
    assert Path(f"/proc/{pid}").exists()
    warm.send({"forget": "a"})
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_signal_that_ends_a_fork_is_told_as_a_negative_number(warm: Warm, bucket: Bucket) -> None:
    pid = warm.ask("a", bucket, "#!/bin/sh\nsleep 5\n")
    os.kill(pid, 9)
    assert warm.answer() == {"id": "a", "exit_code": -9}


def test_many_forks_at_a_time_end_each_with_its_own_code(warm: Warm, bucket: Bucket) -> None:
    for number in range(8):
        warm.ask(str(number), bucket, f"#!/bin/sh\nsleep 1\nexit {number}\n")
    ends = [warm.answer() for _ in range(8)]
    assert {end["id"]: end["exit_code"] for end in ends} == {str(number): number for number in range(8)}


def test_nothing_is_left_when_whoever_asked_is_gone(warm: Warm, bucket: Bucket) -> None:
    warm.ask("a", bucket, "#!/bin/sh\necho $$\nsleep 60\n")
    wait_until(lambda: warm.log("a").read_text())
    pid = warm.log("a").read_text().strip()
    assert warm.process.stdin
    warm.process.stdin.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
