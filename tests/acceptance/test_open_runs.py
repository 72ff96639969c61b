"""A run that is open: who may start another, who goes on with it, and that looking at it changes nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.command import Answer, end, run, run_line, start
from tests.acceptance.lab import Lab, state, wait_for_child, wait_for_end
from tests.waiting import wait_until

# ── nothing to do, in every form in which it is asked for


@pytest.fixture(scope="module")
def finished(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory, words: Path) -> tuple[Lab, Answer]:
    """A lab all of whose results stand, and what the run said that made them."""
    folder = tmp_path_factory.mktemp("finished")
    for file in words.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    lab = Lab(bucket, folder, "finished")
    lab.bring("s1", "s2")
    answer = lab.run("--json")
    assert answer.exit_code == 0, answer.stderr
    return lab, answer


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--detach"], ["--json"], ["--detach", "--json"]])
def test_nothing_to_do_is_a_success(finished: tuple[Lab, Answer], more: list[str]) -> None:
    lab, _ = finished
    before = lab.listing()
    answer = lab.run(*more)
    assert answer.exit_code == 0, answer.stderr
    assert lab.listing() == before


def test_a_plan_of_nothing_is_a_success(finished: tuple[Lab, Answer]) -> None:
    lab, _ = finished
    assert lab.plan() == {"twice": 0, "count": 0, "table": 0}


@pytest.mark.parametrize("more", [["--json"], ["--detach", "--json"]])
def test_nothing_to_do_has_the_json_of_a_run(finished: tuple[Lab, Answer], more: list[str]) -> None:
    lab, real = finished
    answer = lab.run(*more)
    assert answer.json["run"] is None
    assert shape(answer.json) == shape(real.json)


def test_a_run_that_was_detached_has_the_json_of_one_that_was_watched(
    finished: tuple[Lab, Answer],
) -> None:
    lab, real = finished
    answer = lab.named("detached").run("--detach", "--json")
    assert shape(answer.json) == shape(real.json)


def shape(document: dict[str, object]) -> dict[str, object]:
    """The keys of a run's JSON, of each of its steps and of a sample's step."""
    text = json.loads(json.dumps(document))
    return {
        "run": sorted(text),
        "steps": [sorted(step) for step in text["steps"]],
        "samples": [{step: sorted(cell) for step, cell in row["steps"].items()} for row in text["samples"]],
    }


# ── another command while a run is open

Edit = Callable[[Lab], None]
EDITS: dict[str, tuple[Edit, str]] = {
    "a parameter": (
        lambda lab: lab.edit("my_pipeline.py", "parameters=GATE", 'parameters={**GATE, "NEW": "1"}'),
        "step 'count' has another script, image, parameter or declaration",
    ),
    "a script": (
        lambda lab: lab.edit("count.sh", "wc -w", "wc -c"),
        "step 'count' has another script, image, parameter or declaration",
    ),
    "memory": (
        lambda lab: lab.edit("my_pipeline.py", "memory_mib=64", "memory_mib=65"),
        "step 'twice' asks for other memory",
    ),
    "one more sample": (lambda lab: lab.bring("s1", "s2", "s3"), "the sample sheet has 3 samples"),
}


@pytest.fixture
def open_run(lab: Lab, gate: Path) -> Iterator[str]:
    """A run whose second step waits at the gate; it has ended when the test has."""
    lab.bring("s1", "s2")
    run_id = lab.detach()
    wait_for_child(run_id)
    yield run_id
    gate.unlink(missing_ok=True)


@pytest.mark.parametrize("edited", EDITS)
def test_another_command_than_that_of_the_open_run_is_refused_with_what_differs(
    lab: Lab, open_run: str, edited: str
) -> None:
    edit, difference = EDITS[edited]
    edit(lab)
    before = lab.listing()
    answer = lab.run()
    assert answer.exit_code == 2
    assert difference in answer.stderr
    assert "--alongside" in answer.stderr
    assert lab.listing() == before


def test_after_the_cancel_that_a_refusal_prints_the_command_runs(lab: Lab, open_run: str, gate: Path) -> None:
    lab.edit("count.sh", "wc -w", "wc -c")
    [cancel] = re.findall(r"python main\.py cancel \S+", lab.run().stderr)
    assert run_line(cancel).exit_code == 0
    wait_for_end(open_run)
    gate.unlink()
    answer = lab.run("--json")
    assert answer.exit_code == 0, answer.stderr
    assert lab.read("count/s1/count.txt").strip() == "34"
    assert state(open_run) == "CANCELLED"


def test_alongside_does_what_the_open_run_does_not_hold(lab: Lab, open_run: str, gate: Path) -> None:
    lab.bring("s1", "s2", "s3")
    second = lab.detach("--alongside")
    document = run("status", second, "--json").json
    assert [step["size"] for step in document["steps"]] == [1, 1, 0]
    gate.unlink()
    for run_id in (open_run, second):
        assert run("resume", run_id).exit_code == 0
    answer = lab.run("--json")
    assert answer.exit_code == 0, answer.stderr
    assert [step["size"] for step in answer.json["steps"]] == [0, 0, 1]
    assert lab.read(f"table/{table_of(answer)}/all.txt").split() == ["8"] * 3


def table_of(answer: Answer) -> str:
    """The folder of the table that a run made."""
    return str(answer.json["steps"][2]["output"]).rpartition("/")[2]


def test_alongside_an_open_run_that_holds_every_sample_there_is_nothing_to_do(
    lab: Lab, open_run: str
) -> None:
    lab.edit("count.sh", "wc -w", "wc -c")
    answer = lab.run("--alongside", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["run"] is None
    assert lab.only_run() == open_run


# ── several clients, and clients that die


def test_three_identical_commands_at_one_instant_are_one_run(lab: Lab, cloud: Cloud) -> None:
    lab.bring("s1", "s2")
    clients = [lab.start() for _ in range(3)]
    assert [end(client).exit_code for client in clients] == [0, 0, 0]
    run_id = lab.only_run()
    assert lab.job_names(cloud) == [f"{run_id}-{step}" for step in ("count", "table", "twice")]


def throttle(share: float, *operations: str) -> None:
    """AWS turns so many calls of these operations away."""
    assert run("local", "fault", "throttle", f"share={share}", f"operations={','.join(operations)}").stdout


def kill(client: subprocess.Popen[str]) -> None:
    client.send_signal(signal.SIGKILL)
    client.communicate()


@pytest.fixture
def unsubmitted(lab: Lab, no_faults: None) -> str:
    """A run whose client was killed after it was pinned and before its first submit."""
    lab.bring("s1", "s2")
    throttle(1.0, "SubmitJob")
    client = lab.start()
    wait_until(lambda: has_taken_turn(lab, 2))
    kill(client)
    run("local", "fault", "clear")
    return lab.only_run()


@pytest.fixture
def half_submitted(lab: Lab, no_faults: None, cloud: Cloud) -> str:
    """A run whose client was killed between its first submit and its second.

    The client is held between the two by somebody else's turn, which is taken back when it is dead.
    """
    lab.bring("s1", "s2")
    throttle(1.0, "RegisterJobDefinition")
    client = lab.start()
    wait_until(lambda: has_taken_turn(lab, 1))
    run_id = lab.only_run()
    turn = f"runs/{run_id}/turns/00003.json"
    lab.bucket.write(turn, b'{"machine": ["elsewhere"], "pid": 1, "started": 0}')
    run("local", "fault", "clear")
    wait_until(lambda: lab.bucket.has(f"runs/{run_id}/jobs/twice.json"))
    kill(client)
    lab.bucket.delete(turn)
    assert lab.job_names(cloud) == [f"{run_id}-twice"]
    return run_id


def has_taken_turn(lab: Lab, number: int) -> bool:
    return any(lab.bucket.has(f"runs/{run_id}/turns/{number:05d}.json") for run_id in lab.runs())


@pytest.fixture
def elsewhere(own_state: Path) -> Iterator[None]:
    """This machine does not remember the runs that were started from it, as any other does not."""
    known = own_state / "runs.jsonl"
    aside = known.with_suffix(".aside")
    yield
    if aside.exists():
        aside.rename(known)


def forget(own_state: Path) -> None:
    """This machine does not know any run any more."""
    (own_state / "runs.jsonl").rename(own_state / "runs.aside")


def test_a_run_whose_client_died_before_its_first_submit_is_resumed_by_its_uri(
    lab: Lab, unsubmitted: str, cloud: Cloud
) -> None:
    assert lab.job_names(cloud) == []
    answer = run("resume", lab.uri(unsubmitted), "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["state"] == "SUCCEEDED"
    assert len(lab.job_names(cloud)) == 3


def test_a_run_whose_client_died_between_two_submits_is_resumed_by_its_uri(
    lab: Lab, half_submitted: str, cloud: Cloud, own_state: Path, elsewhere: None
) -> None:
    forget(own_state)
    answer = run("resume", lab.uri(half_submitted), "--queue", "local", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["state"] == "SUCCEEDED"
    assert len(lab.job_names(cloud)) == 3


def test_the_same_command_goes_on_with_a_run_whose_client_died_between_two_submits(
    lab: Lab, half_submitted: str, cloud: Cloud
) -> None:
    assert lab.run().exit_code == 0
    assert lab.only_run() == half_submitted
    assert len(lab.job_names(cloud)) == 3


def test_a_half_submitted_run_that_is_cancelled_is_closed_as_cancelled(
    lab: Lab, half_submitted: str, cloud: Cloud
) -> None:
    assert run("cancel", lab.uri(half_submitted)).exit_code == 0
    answer = run("resume", lab.uri(half_submitted), "--json")
    assert answer.exit_code == 5
    assert answer.json["state"] == "CANCELLED"
    assert lab.job_names(cloud) == [f"{half_submitted}-twice"]
    assert lab.bucket.has(f"runs/{half_submitted}/summary.json")


def test_after_a_half_submitted_run_was_cancelled_the_same_command_makes_everything(
    lab: Lab, half_submitted: str
) -> None:
    assert run("cancel", lab.uri(half_submitted)).exit_code == 0
    answer = lab.run("--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["run"] != half_submitted


# ── closing

MOMENTS = {
    "before the ledger": ("DescribeJobs", None),
    "at the ledger": (None, "ledger.tsv.gz"),
    "at the failed samples": (None, "failed.txt"),
    "at the cleaning": ("DeleteConsumableResource", "failed.txt"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_whose_client_died_while_it_closed_it_is_closed_by_the_next(
    lab: Lab, gate: Path, no_faults: None, cloud: Cloud, moment: str
) -> None:
    refused, written = MOMENTS[moment]
    lab.bring("s1", "s2")
    run_id = lab.detach("--max-parallel", "1")
    gate.unlink()
    wait_for_end(run_id)
    if refused:
        throttle(1.0, refused)
    client = start("resume", run_id)
    if written:
        wait_until(lambda: lab.bucket.has(f"runs/{run_id}/{written}"), every_s=0.001)
    else:
        wait_until(lambda: is_asking(client))
    kill(client)
    run("local", "fault", "clear")
    for _ in range(2):
        answer = run("resume", run_id, "--json")
        assert answer.exit_code == 0, answer.stderr
        assert answer.json["state"] == "SUCCEEDED"
    records = [key.rpartition("/")[2] for key in lab.listing(f"runs/{run_id}/")]
    assert records.count("summary.json") == records.count("ledger.tsv.gz") == 1
    assert slots(cloud, run_id) == []


def is_asking(client: subprocess.Popen[str]) -> bool:
    """Whether the client has a connection open: the endpoint turns its calls away."""
    return bool(psutil.Process(client.pid).net_connections("tcp"))


def slots(cloud: Cloud, run_id: str) -> list[str]:
    """The consumable resources of the run."""
    pages = cloud.batch.get_paginator("list_consumable_resources").paginate()
    names = [one["consumableResourceName"] for page in pages for one in page["consumableResources"]]
    return [name for name in names if name == run_id]


def test_a_run_that_ended_without_its_client_is_closed_by_the_same_command(
    lab: Lab, open_run: str, gate: Path
) -> None:
    gate.unlink()
    wait_for_end(open_run)
    assert not lab.bucket.has(f"runs/{open_run}/summary.json")
    answer = lab.run()
    assert answer.exit_code == 0
    assert lab.only_run() == open_run
    assert lab.bucket.has(f"runs/{open_run}/summary.json")


# ── asked from elsewhere


@pytest.fixture
def far_profile(tmp_path: Path, as_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile `far` has this account's keys and another region than its runs."""
    config = tmp_path / "config"
    keys = [f"{name.lower()} = {os.environ[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    config.write_text("\n".join(["[profile far]", "region = eu-north-1", *keys, ""]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


@pytest.mark.parametrize("asked", [["--region", "eu-north-1"], ["--profile", "far"], []])
def test_a_run_asked_from_another_region_is_not_judged_and_the_fix_is_said(
    lab: Lab,
    open_run: str,
    gate: Path,
    own_state: Path,
    far_profile: None,
    elsewhere: None,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[str],
) -> None:
    forget(own_state)
    if not asked:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    elif "--profile" in asked:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
    before = lab.listing()
    for verb in ("status", "resume", "cancel"):
        answer = run(verb, lab.uri(open_run), "--queue", "elsewhere", *asked)
        assert answer.exit_code == 2
        assert "the run is on another Batch: queue 'local' in region us-east-1" in answer.stderr
        assert "--region us-east-1" in answer.stderr
        assert "--queue local" in answer.stderr
    assert lab.listing() == before
    gate.unlink()
    answer = run("resume", lab.uri(open_run), "--queue", "local", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["state"] == "SUCCEEDED"


# ── looking


def looks(lab: Lab, run_id: str) -> list[list[str]]:
    """Every command that only looks."""
    return [
        ["plan", *lab.words()],
        ["plan", *lab.words("--json")],
        ["run", *lab.words("--dry-run")],
        ["status", run_id],
        ["status", run_id, "--json"],
        ["status", run_id, "--json", "--summary"],
        ["logs", run_id, "s1"],
        ["logs", run_id, "s1", "twice", "--json"],
        ["list"],
        ["list", "--bucket-name", lab.bucket.name, "--queue", "local", "--json"],
    ]


def look_at_all(lab: Lab, run_id: str) -> None:
    for words in looks(lab, run_id):
        answer = run(*words)
        assert answer.exit_code == 0, f"{words}: {answer.stderr}"


@pytest.mark.parametrize("when", ["running", "ended", "closed"])
def test_looking_leaves_the_bucket_byte_for_byte_as_it_was(
    lab: Lab, open_run: str, gate: Path, own_state: Path, when: str
) -> None:
    if when != "running":
        gate.unlink()
        wait_for_end(open_run)
    if when == "closed":
        assert run("resume", open_run).exit_code == 0
    before, known = lab.listing(), (own_state / "runs.jsonl").read_bytes()
    look_at_all(lab, open_run)
    assert lab.listing() == before
    assert (own_state / "runs.jsonl").read_bytes() == known


def test_looking_at_a_half_submitted_run_leaves_the_bucket_as_it_was(lab: Lab, half_submitted: str) -> None:
    wait_until(lambda: "twice/s1" in lab.marked() and "twice/s2" in lab.marked())
    before = lab.listing()
    look_at_all(lab, half_submitted)
    assert state(half_submitted) == "RUNNING"
    assert lab.listing() == before
