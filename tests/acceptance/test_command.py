"""The command line: one run after another of a small pipeline of shell scripts."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.command import ROOT, Answer, end, run, start
from tests.acceptance.lab import HOSTILE
from tests.waiting import wait_until

EXAMPLE = ROOT / "examples/shell/pipeline.py"


def words(bucket: Bucket, folder: Path, *samples: str, name: str) -> list[str]:
    (folder / "samples.txt").write_text("".join(f"{sample}\n" for sample in samples))
    for sample in samples:
        bucket.write(f"input/{sample}.txt", f"some words of {sample}\n".encode())
    chosen = [
        "--queue",
        "local",
        "--bucket-name",
        bucket.name,
        "--sample-list-file",
        str(folder / "samples.txt"),
    ]
    return [*chosen, "--pipeline", str(folder / "my_pipeline.py"), "--pipeline-name", name]


def test_every_hostile_name_that_is_legal_goes_through_a_whole_run(bucket: Bucket, folder: Path) -> None:
    answer = run(*words(bucket, folder, *HOSTILE, name="hostile"), "--json")
    assert answer.exit_code == 0, answer.stderr
    assert [row["sample"] for row in answer.json["samples"]] == HOSTILE
    for name in HOSTILE:
        assert bucket.read(f"results/hostile/default/count/{name}/count.txt"), name


def test_the_example_of_three_shell_steps_gathers_the_commonest_words(bucket: Bucket, tmp_path: Path) -> None:
    bucket.write("texts/sea.txt", b"Water, water, every where,\nNor any drop to drink.")
    bucket.write("texts/rose.txt", b"A rose is a rose is a rose.")
    chosen = ["--queue", "local", "--bucket-name", bucket.name, "--input-prefix", "texts/"]
    answer = run(
        *chosen, "--pipeline", EXAMPLE, "--sample-list-file", "-", "--json", stdin="sea.txt\nrose.txt\n"
    )
    assert answer.exit_code == 0, answer.stderr
    key = answer.json["steps"][2]["output"].removeprefix(f"s3://{bucket.name}/") + "/table.tsv"
    assert bucket.read(key) == b"sample\tcount\tword\nsea\t2\twater\nrose\t3\ta\n"


def test_a_list_of_one_sample_works_as_plain_jobs(bucket: Bucket, folder: Path) -> None:
    answer = run(*words(bucket, folder, "only", name="single"), "--json")
    assert answer.exit_code == 0, answer.stderr
    assert [step["size"] for step in answer.json["steps"]] == [1, 1, 1]
    assert bucket.read("results/single/default/count/only/count.txt") == b"8\n"


def test_a_list_from_another_system_works(bucket: Bucket, folder: Path) -> None:
    command = words(bucket, folder, "w1", "w2", name="windows")
    (folder / "samples.txt").write_bytes("\ufeff# list\r\nw1.txt\r\n\r\nw2\r\n".encode())
    answer = run(*command, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert [row["sample"] for row in answer.json["samples"]] == ["w1", "w2"]


def test_only_what_changed_runs_again(bucket: Bucket, folder: Path) -> None:
    command = words(bucket, folder, "c1", "c2", "c3", name="changed")
    assert run(*command).exit_code == 0
    bucket.write("input/c2.txt", b"now five words in it\n")
    plan = run("plan", *command, "--json").json
    assert {step["name"]: step["todo"] for step in plan["steps"]} == {"twice": 1, "count": 1, "table": 1}
    answer = run(*command, "--json")
    assert [step["size"] for step in answer.json["steps"]] == [1, 1, 1]
    assert bucket.read("results/changed/default/count/c2/count.txt") == b"10\n"


def test_all_that_is_wrong_with_a_list_is_said_at_once_and_nothing_is_written(
    bucket: Bucket, folder: Path
) -> None:
    command = words(bucket, folder, "fine", name="refused")
    (folder / "samples.txt").write_text("fine\n../up\nfine.txt\nbell\x07\n")
    answer = run(*command)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert all(part in answer.stderr for part in ("line 2", "lines 1 and 3", "line 4", "fix:"))
    assert "Traceback" not in answer.stderr
    assert not list(bucket.objects("results/refused"))


def test_missing_inputs_are_named_before_anything_is_written(bucket: Bucket, folder: Path) -> None:
    command = words(bucket, folder, "here", name="missing")
    (folder / "samples.txt").write_text("here\nabsent1\nabsent2\n")
    before = len(list(bucket.objects("runs/")))
    answer = run(*command)
    assert answer.exit_code == 2
    assert "absent1.txt, absent2.txt" in answer.stderr
    assert len(list(bucket.objects("runs/"))) == before


def test_a_queue_that_there_is_not_is_named(bucket: Bucket, folder: Path, as_aws: None) -> None:
    answer = run(*words(bucket, folder, "x", name="nowhere"), "--queue", "nowhere")
    assert answer.exit_code == 2
    assert "there is no job queue 'nowhere'" in answer.stderr


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (["--bucket-name", "no-such-bucket"], "does not exist"),
        (["--sample-list-file", "/no/such/file"], "cannot be read"),
        (["--pipeline", "/no/such/pipeline.py"], "no file"),
        (["--reference", "../up"], "not the name of a folder"),
    ],
)
def test_a_wrong_word_is_refused_in_three_lines(
    bucket: Bucket, folder: Path, change: list[str], part: str
) -> None:
    answer = run(*words(bucket, folder, "x", name="wrong"), *change)
    assert answer.exit_code == 2
    assert part in answer.stderr
    assert "fix:" in answer.stderr
    assert "Traceback" not in answer.stderr


def run_of(bucket: Bucket, name: str) -> str | None:
    keys = [found.key for found in bucket.objects(f"runs/{name}-")]
    return next((key.split("/")[1] for key in keys if key.endswith("/run.json")), None)


def is_running(run_id: str | None) -> bool:
    return bool(run_id) and "running" in run("status", str(run_id)).stdout


def finish(run_id: str, gate: Path) -> Answer:
    gate.unlink()
    wait_until(lambda: run("status", run_id, "--json").json["state"] != "RUNNING")
    return run("status", run_id, "--json")


def test_a_run_finishes_when_its_client_is_killed(bucket: Bucket, folder: Path, gate: Path) -> None:
    command = words(bucket, folder, "g1", "g2", "g3", name="killed")
    client = start(*command)
    wait_until(lambda: is_running(run_of(bucket, "killed")))
    client.send_signal(signal.SIGKILL)
    client.wait()
    run_id = str(run_of(bucket, "killed"))
    assert run("status", run_id, "--json").json["state"] == "RUNNING"
    status = finish(run_id, gate).json
    assert status["state"] == "SUCCEEDED"
    assert bucket.read(
        "results/killed/default/table/" + status["steps"][2]["output"].rpartition("/")[2] + "/all.txt"
    )


def test_the_same_command_again_follows_the_run_that_goes_on(
    bucket: Bucket, folder: Path, gate: Path
) -> None:
    command = words(bucket, folder, "g1", "g2", "g3", name="again")
    first = run(*command, "--detach")
    assert first.exit_code == 0
    assert first.stdout.startswith(f"s3://{bucket.name}/runs/again-")
    second = start(*command, "--json")
    run_id = str(run_of(bucket, "again"))
    assert second.stderr
    assert any("running already" in line for line in second.stderr)  # it has looked, so the gate may go
    gate.unlink()
    answer = end(second)
    assert answer.exit_code == 0, answer.stderr
    assert answer.json["run"] == run_id
    assert [name for name in bucket.folders("runs/") if name.startswith("again-")] == [run_id]


def test_an_interrupted_client_detaches_and_says_how_to_come_back(
    bucket: Bucket, folder: Path, gate: Path
) -> None:
    command = words(bucket, folder, "g1", "g2", "g3", name="interrupted")
    client = start(*command)
    wait_until(lambda: is_running(run_of(bucket, "interrupted")))
    client.send_signal(signal.SIGINT)
    _, stderr = client.communicate(timeout=30)
    run_id = str(run_of(bucket, "interrupted"))
    assert client.returncode == 130
    assert f"python main.py cancel {run_id}" in stderr
    assert finish(run_id, gate).json["state"] == "SUCCEEDED"


def test_a_cancelled_run_stops_and_says_so(bucket: Bucket, folder: Path, gate: Path) -> None:
    command = words(bucket, folder, "g1", "g2", "g3", name="cancelled")
    run_id = run(*command, "--detach", "--json").json["run"]
    wait_until(lambda: is_running(run_id))
    assert run("cancel", run_id).exit_code == 0
    wait_until(lambda: run("status", run_id, "--json").json["state"] != "RUNNING")
    assert run("status", run_id, "--json").json["state"] == "CANCELLED"


def test_a_script_that_makes_no_output_fails_though_it_exits_with_0(bucket: Bucket, folder: Path) -> None:
    command = words(bucket, folder, "quiet", "also", name="liar")
    (folder / "count.sh").write_text("#!/bin/sh\nexit 0\n")
    answer = run(*command, "--json")
    assert answer.exit_code == 5
    entry = answer.json["samples"][0]["steps"]["count"]
    assert entry["status"] == "FAILED"
    assert "count.txt" in entry["reason"]


def test_a_step_that_no_machine_can_hold_is_explained_while_it_waits(bucket: Bucket, folder: Path) -> None:
    text = (folder / "my_pipeline.py").read_text().replace("memory_mib=64", "memory_mib=99999999", 1)
    (folder / "my_pipeline.py").write_text(text)
    client = start(*words(bucket, folder, "h1", "h2", name="huge"))
    assert client.stderr
    said = "".join(itertools.takewhile(lambda line: "asks for" not in line, client.stderr))
    assert "none of its children has started" in said
    assert "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in said
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert run("cancel", str(run_of(bucket, "huge"))).exit_code == 0


def test_no_more_children_run_at_a_time_than_allowed(
    cloud: Cloud, bucket: Bucket, folder: Path, gate: Path
) -> None:
    command = words(bucket, folder, "m1", "m2", "m3", "m4", name="limited")
    run_id = run(*command, "--max-parallel", "1", "--detach", "--json").json["run"]
    wait_until(lambda: is_running(run_id))
    finish(run_id, gate)
    status = run("status", run_id, "--json").json
    children = [f"{step['job_ids'][0]}:{index}" for step in status["steps"][:2] for index in range(4)]
    times = [(job["startedAt"], job["stoppedAt"]) for job in cloud.batch.describe_jobs(jobs=children)["jobs"]]
    in_order = sorted(times)
    assert all(stopped <= started for (_, stopped), (started, _) in itertools.pairwise(in_order))


def test_the_list_may_come_from_standard_input(bucket: Bucket, folder: Path) -> None:
    command = words(bucket, folder, "p1", "p2", name="piped")
    answer = run(*command, "--sample-list-file", "-", "--json", stdin="p1\np2\n")
    assert answer.exit_code == 0, answer.stderr


def test_list_names_the_runs_of_a_bucket(bucket: Bucket) -> None:
    listed = run("list", "--bucket-name", bucket.name, "--queue", "local", "--json").json
    assert {"run", "created_at", "pipeline", "queue", "uri"} <= set(listed[0])


def test_a_run_outlives_throttling_reclaimed_hosts_and_a_slow_s3(
    bucket: Bucket, folder: Path, gate: Path
) -> None:
    command = words(bucket, folder, "f1", "f2", name="faults")
    for words_of_fault in (["throttle", "share=0.3"], ["slow-s3", "share=0.3"]):
        assert run("local", "fault", *words_of_fault).exit_code == 0
    run_id = run(*command, "--detach", "--json").json["run"]
    wait_until(lambda: is_running(run_id))
    assert run("local", "fault", "reclaim").json
    assert run("local", "fault", "clear").exit_code == 0
    status = finish(run_id, gate).json
    assert status["state"] == "SUCCEEDED"
    assert any(row["steps"]["count"]["attempts"] == 2 for row in status["samples"])
    reclaimed = [line for line in run("local", "events").stdout.splitlines() if "Host EC2" in line]
    assert reclaimed


def test_a_fault_of_no_form_is_refused() -> None:
    answer = run("local", "fault", "throttle", "much")
    assert answer.exit_code == 2
    assert "NAME=VALUE" in answer.stderr


def test_old_job_definitions_are_deregistered_and_the_current_ones_stay(
    cloud: Cloud, bucket: Bucket, folder: Path
) -> None:
    command = words(bucket, folder, "o1", "o2", name="tidy")
    assert run(*command).exit_code == 0
    which = [
        "--queue",
        "local",
        "--pipeline",
        str(folder / "my_pipeline.py"),
        "--pipeline-name",
        "tidy",
        "--json",
    ]
    assert run("gc", *which).json == []
    text = (folder / "my_pipeline.py").read_text().replace("memory_mib=64", "memory_mib=65")
    (folder / "my_pipeline.py").write_text(text)
    assert len(run("gc", *which).json) == 3
    active = cloud.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert not any(definition["jobDefinitionName"].startswith("tidy-") for definition in active)


def test_without_an_account_the_message_says_what_to_do() -> None:
    answer = run("status", "s3://nobody/runs/x", "--queue", "some-queue")
    assert answer.exit_code == 4
    assert "there are no AWS credentials" in answer.stderr


def test_help_names_every_verb() -> None:
    answer = run("--help")
    assert answer.exit_code == 0
    assert all(verb in answer.stdout for verb in ("run", "plan", "status", "list", "logs", "cancel", "local"))
