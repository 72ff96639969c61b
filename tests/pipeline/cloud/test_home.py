"""This machine's memory of its runs; a line that was cut as it was written costs no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cloud.home import home, recall_runs, remember_run
from pipeline.model.run import Run
from tests.pipeline.lab import plan_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(tmp_path / "home"))
    return plan_run(tmp_path, 2)


def test_where_no_run_was_started_none_is_recalled(run: Run) -> None:
    assert recall_runs() == []


def test_a_run_is_recalled_with_where_it_is_and_as_whom_it_was_started(run: Run) -> None:
    remember_run(run, profile="lab")
    remember_run(run, profile=None)
    known = {"run": "toy-1", "bucket": "lab", "queue": "stub", "region": "us-east-1"}
    assert recall_runs() == [{**known, "profile": "lab"}, known]


def test_a_torn_line_is_left_out(run: Run) -> None:
    remember_run(run, profile=None)
    with (home() / "runs.jsonl").open("a") as lines:
        lines.write('{"run": "toy-2", "buc\n[1]\n\n')
    remember_run(run, profile="lab")
    assert [known.get("profile") for known in recall_runs()] == [None, "lab"]


def test_what_is_written_after_a_line_that_was_cut_is_not_lost_with_it(run: Run) -> None:
    remember_run(run, profile=None)
    with (home() / "runs.jsonl").open("a") as lines:
        lines.write('{"run": "toy-2", "buc')
    remember_run(run, profile="lab")
    assert [known.get("profile") for known in recall_runs()] == [None, "lab"]


def test_state_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(tmp_path / "here"))
    assert home() == tmp_path / "here"
    monkeypatch.setenv("BATCH_PIPELINE_HOME", "")
    assert home().name == "batch-pipeline"
