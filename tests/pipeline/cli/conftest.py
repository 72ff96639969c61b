"""Commands as they are typed, on the lab in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from pipeline.cli import follow
from pipeline.cli.main import main
from pipeline.cloud.stub_batch import Outcome
from tests.acceptance.command import Answer
from tests.pipeline.lab import Lab


@dataclass
class Terminal:
    """Types commands; while one watches a run, its children end as `outcome` says."""

    lab: Lab
    capture: pytest.CaptureFixture[str]
    outcome: Outcome

    def type(self, *words: str) -> Answer:
        """The command, to its end."""
        self.capture.readouterr()
        exit_code = main(self.lab.pipeline(), words)
        said = self.capture.readouterr()
        return Answer(exit_code, said.out, said.err)

    def run(self, *more: str, samples: str = "s0\ns1\ns2\n") -> Answer:
        """The card's command."""
        for name in samples.split():
            self.lab.bucket.write(f"input/{name}.txt", name.encode())
        file = self.lab.folder / "samples.txt"
        file.write_text(samples)
        return self.type(*self.what(str(file)), *more)

    def what(self, file: str) -> list[str]:
        where = ["--queue", "stub", "--bucket-name", "lab", "--reference", "hg38"]
        return [*where, "--sample-list-file", file]


@pytest.fixture
def terminal(lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(lab, capsys, lambda _name, _index: 0)

    def pause(_pause_s: float) -> None:
        lab.batch.run_all(lambda name, index: terminal.outcome(name, index))

    monkeypatch.setattr(follow, "time", SimpleNamespace(sleep=pause, monotonic=time.monotonic))
    return terminal


FailAt = Callable[[str, int], Outcome]


@pytest.fixture
def fail_at() -> FailAt:
    """The outcome in which one child of a step fails."""
    return lambda step, number: lambda name, index: 65 if name.endswith(f"-{step}") and index == number else 0
