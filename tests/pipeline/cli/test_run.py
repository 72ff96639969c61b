"""`run`: one command from the sample list to the ledger, its answer on stdout and all else on stderr."""

from __future__ import annotations

import shlex

import pytest

from pipeline.cli import follow
from pipeline.cloud.stub_batch import StubBatch
from pipeline.submit import submitter
from tests.pipeline.cli.conftest import FailAt, Terminal


def test_a_run_of_which_every_sample_succeeded_ends_with_0(terminal: Terminal) -> None:
    answer = terminal.run()
    assert answer.exit_code == 0
    assert "SUCCEEDED" in answer.stdout
    assert "account 123456789012, region us-east-1" in answer.stderr
    [run] = terminal.lab.runs()
    assert terminal.lab.bucket.has(f"runs/{run}/summary.json")


def test_a_run_of_which_some_failed_ends_with_5_and_names_the_list_and_the_log(
    terminal: Terminal, fail_at: FailAt
) -> None:
    terminal.outcome = fail_at("a", 1)
    answer = terminal.run()
    [run] = terminal.lab.runs()
    assert answer.exit_code == 5
    assert "exit code 65" in answer.stdout
    assert f"s3://lab/runs/{run}/failed.txt" in answer.stderr
    assert answer.stderr.endswith(f"next: python main.py logs {run} s1 a\n")


def test_a_detached_run_prints_its_uri_and_nothing_else(terminal: Terminal) -> None:
    answer = terminal.run("--detach")
    [run] = terminal.lab.runs()
    assert (answer.exit_code, answer.stdout) == (0, f"s3://lab/runs/{run}\n")
    for verb in ("status", "resume", "cancel"):
        assert f"python main.py {verb} {run}" in answer.stderr
    assert not terminal.lab.bucket.has(f"runs/{run}/summary.json")


def test_a_detached_run_as_json_has_the_shape_of_status(terminal: Terminal) -> None:
    submitted = terminal.run("--detach", "--json").json
    later = terminal.type("status", submitted["run"], "--json").json
    assert submitted.keys() == later.keys()
    assert [one["sample"] for one in submitted["samples"]] == [one["sample"] for one in later["samples"]]
    assert [step["job_ids"] for step in submitted["steps"]] == [step["job_ids"] for step in later["steps"]]


def test_a_run_as_json_is_one_document_with_every_sample(terminal: Terminal, fail_at: FailAt) -> None:
    terminal.outcome = fail_at("a", 1)
    document = terminal.run("--json").json
    assert document["state"] == "FAILED"
    found = {one["sample"]: one["steps"] for one in document["samples"]}
    assert {sample: steps["a"]["status"] for sample, steps in found.items()} == {
        "s0": "SUCCEEDED",
        "s1": "FAILED",
        "s2": "SUCCEEDED",
    }
    assert found["s1"]["b"]["status"] == "SKIPPED"


def test_a_dry_run_writes_nothing(terminal: Terminal) -> None:
    terminal.run("--dry-run")
    with terminal.lab.writes() as written:
        terminal.type(*terminal.what(str(terminal.lab.folder / "samples.txt")), "--dry-run")
    assert written == [0]


def test_an_interrupt_leaves_the_run_to_itself_and_says_how_to_come_back(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_name: str, _index: int) -> int:
        raise KeyboardInterrupt

    terminal.outcome = interrupted
    answer = terminal.run()
    [run] = terminal.lab.runs()
    assert answer.exit_code == follow.INTERRUPTED
    assert f"python main.py resume {run}" in answer.stderr
    assert not any(terminal.lab.batch.calls[name] for name in ("TerminateJob",))


def test_another_command_over_an_open_runs_samples_ends_with_2(terminal: Terminal) -> None:
    terminal.run("--detach")
    answer = terminal.run("--max-parallel", "2")
    assert answer.exit_code == 2
    assert "--max-parallel is 2, the run's is None" in answer.stderr
    assert "--alongside" in answer.stderr


def test_at_most_no_children_is_refused(terminal: Terminal) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.run("--max-parallel", "0")
    assert ended.value.code == 2


def test_with_max_parallel_the_slots_are_gone_when_the_run_is_closed(terminal: Terminal) -> None:
    assert terminal.run("--max-parallel", "2").exit_code == 0
    assert terminal.lab.batch.calls["CreateConsumableResource"] == 1
    assert terminal.lab.batch.slots == {}


def test_a_sample_list_that_is_not_there_is_told(terminal: Terminal) -> None:
    answer = terminal.type(*terminal.what("/nowhere.txt"))
    assert answer.exit_code == 2
    assert "--sample-list-file /nowhere.txt" in answer.stderr


def test_ctrl_c_in_the_midst_of_submitting_says_how_to_go_on_and_that_works(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(StubBatch, "submit", _interrupted)
        answer = terminal.run()
    assert answer.exit_code == 130
    assert "not all of it is submitted" in answer.stderr
    asked = terminal.type("status", *_printed(answer.stderr, "resume"))
    assert "not all of it is submitted" in asked.stderr
    told = terminal.type("plan", *terminal.what(str(terminal.lab.folder / "samples.txt")))
    assert "is open over these results" in told.stderr
    monkeypatch.setattr(
        submitter, "_is_dead", lambda _who: True
    )  # its process ends with Ctrl-C, this one does not
    ended = terminal.type("resume", *_printed(asked.stderr, "resume"))
    assert ended.exit_code == 0
    assert "SUCCEEDED" in ended.stdout


def _interrupted(_batch: StubBatch, *_: object) -> str:
    raise KeyboardInterrupt


def _printed(said: str, verb: str) -> list[str]:
    """The words behind a verb of a printed command, as a shell splits them."""
    line = next(line for line in said.splitlines() if f"python main.py {verb} " in line)
    return shlex.split(line.partition(f"python main.py {verb} ")[2], comments=True)
