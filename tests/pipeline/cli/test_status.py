"""`status`: a table for a person, one JSON document for a program, and the next command to type."""

from __future__ import annotations

import io
import json
import shlex

import pytest

from pipeline.cli import status
from pipeline.cli.main import parse
from tests.pipeline.cli.conftest import FailAt, Terminal


def detached(terminal: Terminal) -> str:
    return terminal.run("--detach").stdout.strip().rpartition("/")[2]


def test_a_run_that_goes_on_is_told_with_the_ways_to_come_back(terminal: Terminal) -> None:
    run = detached(terminal)
    answer = terminal.type("status", run)
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"{run}  RUNNING  s3://lab/runs/{run}\n")
    assert f"python main.py cancel {run}" in answer.stderr


def test_a_run_that_ended_and_was_not_closed_is_told_with_how_to_close_it(terminal: Terminal) -> None:
    run = detached(terminal)
    terminal.lab.batch.run_all()
    with terminal.lab.writes() as written:
        answer = terminal.type("status", run)
    assert written == [0]
    assert f"  SUCCEEDED  s3://lab/runs/{run}" in answer.stdout
    assert f"next: python main.py resume {run}" in answer.stderr


def test_as_json_an_open_and_a_closed_run_have_the_same_samples(terminal: Terminal, fail_at: FailAt) -> None:
    run = detached(terminal)
    terminal.lab.batch.run_all(fail_at("a", 1))
    before = terminal.type("status", run, "--json").json
    terminal.type("resume", run)
    after = terminal.type("status", run, "--json").json
    assert after["samples"] == before["samples"]
    assert after["steps"] == before["steps"]


def test_a_summary_as_json_has_no_samples(terminal: Terminal) -> None:
    document = terminal.type("status", detached(terminal), "--json", "--summary").json
    assert "samples" not in document
    assert {step["name"] for step in document["steps"]} == {"index", "a", "b", "all"}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_document_is_json_with_any_number_of_samples(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    samples = [{"sample": f'é"{index}', "steps": {}} for index in range(number)]
    status.print_json({"run": "toy", "steps": [{}]}, iter(samples))
    assert json.loads(written.getvalue()) == {"run": "toy", "steps": [{}], "samples": samples}


@pytest.mark.parametrize("sample", ["it's; rm -rf $HOME", "-x", "a b", "é"])
def test_the_command_that_shows_a_log_can_be_typed_as_it_is(sample: str) -> None:
    words = shlex.split(status._logs("toy-1", {"sample": sample, "step": "a"}))
    options = parse(words)
    assert (options.verb, options.run, options.sample, options.step) == ("logs", "toy-1", sample, "a")


def test_a_run_that_there_is_not_ends_with_2(terminal: Terminal) -> None:
    answer = terminal.type("status", "s3://lab/runs/toy-7")
    assert answer.exit_code == 2
    assert answer.stdout == ""
