"""Which verb was meant, and how its errors end."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from pipeline import Pipeline
from pipeline.cli import run
from pipeline.cli.main import INTERRUPTED, VERBS, main, parse
from pipeline.errors import InputError, PipelineError, Problem, RefusedError, UnreachableError
from tests.pipeline.examples import toy

CARD = ["--queue", "local", "--bucket-name", "lab", "--sample-list-file", "s.txt"]


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return toy(tmp_path)


def ends_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def raising(*_: object) -> int:
        raise error

    monkeypatch.setattr(run, "run", raising)


def test_without_a_verb_it_is_run(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline) -> None:
    verbs: list[str] = []

    def noted(options: argparse.Namespace, _default: Pipeline) -> int:
        verbs.append(options.verb)
        return 0

    monkeypatch.setattr(run, "run", noted)
    assert main(pipeline, CARD) == main(pipeline, ["run", *CARD]) == 0
    assert verbs == ["run", "run"]


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(InputError, 2), (RefusedError, 3), (UnreachableError, 4), (PipelineError, 1)]
)
def test_an_error_is_told_on_stderr_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pipeline: Pipeline,
    kind: type[PipelineError],
    exit_code: int,
) -> None:
    ends_with(monkeypatch, kind([Problem("a", "b", "c"), Problem("d", "e", "f")]))
    assert main(pipeline, CARD) == exit_code
    said = capsys.readouterr()
    assert said.err == "a\n  where: b\n  fix:   c\nd\n  where: e\n  fix:   f\n"
    assert said.out == ""


def test_an_interrupt_has_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline
) -> None:
    ends_with(monkeypatch, KeyboardInterrupt())
    assert main(pipeline, CARD) == INTERRUPTED == 130


def test_every_verb_has_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit) as ended:
            parse([verb, "--help"])
        assert ended.value.code == 0
        assert f"python main.py {verb}" in capsys.readouterr().out


def test_the_cards_flags_are_needed(capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    with pytest.raises(SystemExit) as ended:
        main(pipeline, ["--queue", "local"])
    assert ended.value.code == 2
    assert "--sample-list-file" in capsys.readouterr().err
