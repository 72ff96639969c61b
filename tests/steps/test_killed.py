"""Children that are killed at any write, or run twice at once, as processes: no marker that holds is false."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from steps.library.place import look
from tests.steps.conftest import RESULTS, URL, Children, job

UPPER = job("upper", inputs=["input/{sample}.txt"])
HERE = f"{RESULTS}/upper/s1"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "upper.py"


TWO_FILES = """
import os, signal
from pathlib import Path
from fetch_and_run import s3
from steps import Child, main

left = int(os.environ["KILLED_AFTER"])

def counted(door):
    def write(*words):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return door(*words)
    return write

s3.write, s3.upload = counted(s3.write), counted(s3.upload)

def step(child: Child) -> None:
    text = child.fetch("input/{sample}.txt").read_text()
    for name in ("a", "b"):
        Path(name).write_text(text + name)
    child.publish("a", "b")

main(step)
"""
WRITES = 4  # one marker is retired, two files uploaded, one marker written


def vouched(children: Children, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bytes]]:
    """The content of the files of each marker that holds; of any other that is live, a file is gone or replaced."""
    for name, value in children.environment.items():
        monkeypatch.setenv(name, value)
    results = look(f"{URL}/{HERE}").results("f1")
    return [{name: children.bucket.get(f"{HERE}/{name}") for name in files} for files in results.values()]


@pytest.mark.parametrize("writes", range(WRITES + 1))
def test_a_child_that_is_killed_at_any_write_leaves_no_marker_that_is_false(
    children: Children, script: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    old, new = {"a": b"old a", "b": b"old b"}, {"a": b"newa", "b": b"newb"}
    children.publish("upper", old)
    children.bucket.put("input/s1.txt", "new")
    script.write_text(TWO_FILES)
    done = children.run(UPPER, script=script, extra={"KILLED_AFTER": str(writes)})
    assert done.exit_code == (0 if writes == WRITES else -signal.SIGKILL)
    assert vouched(children, monkeypatch) == ([old] if writes == 0 else [new] if writes == WRITES else [])
    assert len(children.markers(HERE)) == (1 if writes in (0, WRITES) else 0)
    assert children.run(UPPER, script=script, extra={"KILLED_AFTER": "-1"}).exit_code == 0
    assert vouched(children, monkeypatch) == [new]


GATED = """
from pathlib import Path
from steps import Child, main

def step(child: Child) -> None:
    text = child.fetch("input/{sample}.txt").read_text()
    for name in ("a", "b"):
        Path(name).write_text(text + name)
        print(name, flush=True)
        input()
        child.publish(name)

main(step)
"""


class Gated:
    """An execution that has fetched its input, and asks before each of its two uploads."""

    def __init__(self, children: Children, script: Path) -> None:
        pipe = subprocess.PIPE
        words = [sys.executable, str(script)]
        self.process = subprocess.Popen(words, env=children.told(UPPER), stdin=pipe, stdout=pipe, text=True)
        self.hear()

    def hear(self) -> None:
        assert self.process.stdout
        self.process.stdout.readline()  # "a", "b", or its end

    def upload(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.hear()


@pytest.mark.parametrize("order", ["ABAB", "ABBA", "AABB", "ABB", "AAB", "BAA", "AB"])
@pytest.mark.parametrize("second", ["one", "two"])
def test_two_executions_at_once_never_leave_a_result_that_is_a_mixture(
    children: Children, script: Path, monkeypatch: pytest.MonkeyPatch, order: str, second: str
) -> None:
    """A letter is an upload; an execution that has but one is killed after it. B finds the input `second`."""
    script.write_text(GATED)
    children.pin_sheet()
    children.bucket.put("input/s1.txt", "one")
    running = {"A": Gated(children, script)}
    children.bucket.put("input/s1.txt", second)
    running["B"] = Gated(children, script)
    whole = {text: {file: f"{text}{file}".encode() for file in "ab"} for text in ("one", "two")}
    for name in order:
        running[name].upload()
        assert all(result in whole.values() for result in vouched(children, monkeypatch))
    for execution in running.values():
        execution.process.kill()
        execution.process.communicate()
    assert all(result in whole.values() for result in vouched(children, monkeypatch))
    script.write_text(GATED.replace("input()", ""))
    assert children.run(UPPER, script=script).exit_code == 0
    assert vouched(children, monkeypatch) == [whole[second]]
