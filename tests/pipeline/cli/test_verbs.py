"""`resume`, `cancel`, `list`, `logs`, `plan` and `gc` on one run."""

from __future__ import annotations

import pytest

from pipeline.api import runs
from tests.pipeline.cli.conftest import FailAt, Terminal


@pytest.fixture
def run(terminal: Terminal) -> str:
    return terminal.run("--detach").stdout.strip()


def test_resume_watches_a_run_to_its_end_and_closes_it(terminal: Terminal, run: str) -> None:
    answer = terminal.type("resume", run)
    assert answer.exit_code == 0
    assert terminal.lab.bucket.has(f"{run.removeprefix('s3://lab/')}/summary.json")


def test_resume_of_a_closed_run_shows_how_it_ended(terminal: Terminal, run: str, fail_at: FailAt) -> None:
    terminal.outcome = fail_at("a", 0)
    first = terminal.type("resume", run)
    with terminal.lab.writes() as written:
        again = terminal.type("resume", run)
    assert written == [0]
    assert first.exit_code == again.exit_code == 5
    assert again.stdout == first.stdout


def test_resume_closes_a_cancelled_run(terminal: Terminal, run: str) -> None:
    terminal.type("cancel", run)
    answer = terminal.type("resume", run)
    assert answer.exit_code == 5
    assert "CANCELLED" in answer.stdout


def test_cancel_tells_how_many_jobs_were_stopped(terminal: Terminal, run: str) -> None:
    answer = terminal.type("cancel", run, "--json")
    assert len(answer.json["terminated"]) == 4
    assert answer.json["run"] == run.rpartition("/")[2]


def test_cancel_of_a_run_that_ended_stops_nothing(terminal: Terminal, run: str) -> None:
    terminal.lab.batch.run_all()
    answer = terminal.type("cancel", run)
    assert "has ended already" in answer.stderr
    assert terminal.lab.batch.calls["TerminateJob"] == 0


def test_list_names_the_runs_of_a_bucket(terminal: Terminal, run: str) -> None:
    [found] = terminal.type("list", "--bucket-name", "lab", "--json").json
    assert found["uri"] == run
    assert run.rpartition("/")[2] in terminal.type("list").stdout


def test_list_has_the_same_columns_whatever_is_known_of_each_run(
    terminal: Terminal, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"run": "toy-1", "bucket": "lab", "queue": "q", "region": "eu-west-1"}
    of_a_profile = {"run": "toy-2", "bucket": "lab", "profile": "clinic", "queue": "q", "region": "eu-west-1"}
    monkeypatch.setattr(runs, "recall_runs", lambda: [known, of_a_profile, {"run": "toy-3"}])
    answer = terminal.type("list")
    assert [line.split() for line in answer.stdout.splitlines()] == [
        ["run", "bucket", "queue", "region", "profile"],
        ["toy-1", "lab", "q", "eu-west-1"],
        ["toy-2", "lab", "q", "eu-west-1", "clinic"],
        ["toy-3"],
    ]


def test_plan_tells_the_arrays_the_reasons_and_the_calls_and_writes_nothing(terminal: Terminal) -> None:
    terminal.run("--dry-run")
    words = terminal.what(str(terminal.lab.folder / "samples.txt"))
    with terminal.lab.writes() as written:
        plan = terminal.type("plan", *words, "--json").json
    assert written == [0]
    assert {step["name"]: step["arrays"] for step in plan["steps"]} == {
        "index": [1],
        "a": [3],
        "b": [3],
        "all": [1],
    }
    assert plan["steps"][1]["reasons"] == {"new": 3}
    assert "4 SubmitJob calls" in terminal.type("plan", *words).stdout


def test_logs_prints_each_line_of_what_a_sample_started(
    terminal: Terminal, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.lab.batch.run_all()
    monkeypatch.setattr(runs, "read_log", lambda _run, step, _stream: iter([(1, f"hello from {step}")]))
    answer = terminal.type("logs", run, "s1")
    assert answer.stdout.splitlines() == ["hello from a", "hello from b"]
    assert terminal.type("logs", run, "s1", "b").stdout.splitlines() == ["hello from b"]


def test_gc_says_how_many_old_definitions_take_no_new_jobs(terminal: Terminal, run: str) -> None:
    terminal.lab.batch.register({"jobDefinitionName": "toy-old", "tags": {"pipeline": "toy"}})
    answer = terminal.type("gc", "--queue", "stub")
    assert "1 old job definitions of 'toy'" in answer.stderr
