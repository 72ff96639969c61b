"""One attempt of a child: a marker when it is whole, a record when it failed, nothing false when it was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steps.library.contract import MADE, Found, Job, MarkerName, due, made, parse_marker
from tests.fetch_and_run.s3_server import ROOT, Bucket
from tests.steps.conftest import COMMAND, RESULTS, URL, Children, Ended, job

UPPER = """
from pathlib import Path
from steps import Child, main

def shout(child: Child) -> None:
    text = child.fetch("input", "{sample}.txt").read_text()
    Path("upper.txt").write_text(text.upper())
    child.publish("upper.txt", at_least=1)

main(shout)
"""
HERE = f"{RESULTS}/upper/s1"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    script = tmp_path / "upper.py"
    script.write_text(UPPER)
    return script


def upper(**told: Any) -> Job:
    return job("upper", **{"inputs": ["input/{sample}.txt"], **told})


def run(children: Children, script: Path, **told: Any) -> Ended:
    return children.run(upper(**told), script=script)


def test_the_marker_tells_of_all_that_the_result_depends_on_and_of_all_that_was_made(
    children: Children, script: Path
) -> None:
    children.sheet = [["sample", "lane", "k"], ["s1", "7", "31"]]
    source = children.put("input/s1.txt", "hello")
    assert run(children, script, columns=("k",)).exit_code == 0
    stored = Found("eb61eead90e3b899c6bcbe27ac581660", 5)
    expected = due("f1", {"k": "31"}, {"input/sample.txt": source})
    [key] = children.markers(HERE)
    assert key == f"{HERE}/_SUCCESS.{expected}.{made({'upper.txt': stored})}.json"
    marker = children.marker("upper")
    assert marker.pop("seconds") >= 0
    assert marker.pop("finished_at").endswith("Z")
    assert marker == {
        "format": 2,
        "step": "upper",
        "sample": "s1",
        "due": expected,
        "fingerprint": "f1",
        "columns": {"sample": "s1", "k": "31"},
        "inputs": {f"{URL}/input/s1.txt": source._asdict()},
        "files": {
            "upper.txt": {
                **stored._asdict(),
                "sha256": "3733cd977ff8eb18b987357e22ced99f46097f31ecb239e878ae63760e83e4d5",
            }
        },
        "run": f"{URL}/runs/r1",
        "job_id": "job-1",
        "attempt": 1,
    }


def test_beside_a_reference_the_markers_name_holds_the_steps(children: Children, tmp_path: Path) -> None:
    script = tmp_path / "index.py"
    script.write_text(UPPER.replace('"input", "{sample}.txt"', '"reference/genes.gtf"'))
    children.bucket.put("reference/demo/genes.gtf", "genes")
    told = job("index", scope="reference", inputs=["reference/genes.gtf"])
    assert children.run(told, script=script).exit_code == 0
    [key] = children.markers("reference/demo")
    name = parse_marker(key.rpartition("/")[2])
    assert name
    assert name.step == "index"
    assert children.run(told, script=script).stdout == f"unchanged: {URL}/{key}\n"


def test_a_second_execution_changes_nothing(children: Children, script: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, script)
    [key] = children.markers(HERE)
    before = children.marker("upper")
    script.write_text("from steps import main\nmain(lambda child: 1 / 0)\n")
    done = run(children, script)
    assert (done.exit_code, done.stdout) == (0, f"unchanged: {URL}/{key}\n")
    assert children.marker("upper") == before


def test_an_input_that_was_made_again_with_the_same_bytes_changes_nothing(
    children: Children, script: Path
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, script)
    children.bucket.put("input/s1.txt", "hello")
    assert "unchanged" in run(children, script).stdout


def _other_input(bucket: Bucket) -> None:
    bucket.put("input/s1.txt", "bye")


def _lost_output(bucket: Bucket) -> None:
    bucket.client.delete_object(Bucket="lab", Key=f"{HERE}/upper.txt")


def _other_output(bucket: Bucket) -> None:
    bucket.put(f"{HERE}/upper.txt", "HELL")


@pytest.mark.parametrize("change", [_other_input, _lost_output, _other_output])
def test_what_changed_in_the_bucket_is_made_again(
    children: Children, script: Path, change: Callable[[Bucket], None]
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, script)
    change(children.bucket)
    assert "unchanged" not in run(children, script).stdout
    assert children.output("upper", "upper.txt") == children.bucket.get("input/s1.txt").upper()
    assert len(children.markers(HERE)) == 1


def test_another_version_of_the_step_or_another_declared_column_is_made_again(
    children: Children, script: Path
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    children.sheet = [["sample", "lane", "note"], ["s1", "7", ""]]
    run(children, script, columns=("lane",))
    assert "unchanged" not in run(children, script, columns=("lane",), fingerprint="f2").stdout
    children.sheet = [["sample", "lane", "note"], ["s1", "8", ""]]
    assert "unchanged" not in run(children, script, columns=("lane",), fingerprint="f2").stdout
    assert len(children.markers(HERE)) == 1


def test_a_column_that_is_not_declared_may_change(children: Children, script: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    children.sheet = [["sample", "note"], ["s1", "first"]]
    run(children, script)
    children.sheet = [["sample", "note"], ["s1", "second"]]
    assert "unchanged" in run(children, script).stdout


def test_a_file_that_an_older_version_left_does_no_harm(children: Children, script: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    children.publish("upper", {"upper.txt": b"old", "older.txt": b"old"}, fingerprint="f0")
    run(children, script)
    assert "unchanged" in run(children, script).stdout
    assert set(children.marker("upper")["files"]) == {"upper.txt"}


def test_a_step_that_publishes_nothing_is_done_all_the_same(children: Children, tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text("from steps import main\nmain(lambda child: None)\n")
    children.publish("upper", {"older.txt": b"old"}, fingerprint="f0")
    assert children.run(job("upper"), script=script).exit_code == 0
    assert children.marker("upper")["files"] == {}
    assert "unchanged" in children.run(job("upper"), script=script).stdout


def test_a_missing_input_is_named_in_the_record_and_as_the_last_line(
    children: Children, script: Path
) -> None:
    done = run(children, script)
    reason = f"input/s1.txt does not exist: {URL}/input/s1.txt"
    assert done.exit_code == 65
    assert children.failure("upper") == {
        "step": "upper",
        "sample": "s1",
        "attempt": 1,
        "reason": reason,
        "exit_code": 65,
        "job_id": "job-1",
    }
    assert done.stderr == f"upper failed: {reason}\n"


def test_a_child_of_an_array_is_the_first_row_and_its_index(children: Children, script: Path) -> None:
    children.sheet = [["sample"], *([f"s{number}"] for number in range(1002))]
    children.bucket.put("input/s1001.txt", "last")
    extra = {"AWS_BATCH_JOB_ARRAY_INDEX": "501"}
    assert children.run(upper(row=500), script=script, extra=extra).exit_code == 0
    assert children.marker("upper", "s1001")["sample"] == "s1001"


def test_a_row_beyond_the_sheet_is_recorded_under_no_sample(children: Children, script: Path) -> None:
    assert run(children, script, row=1).exit_code == 65
    assert children.failure("upper", "-")["reason"] == "the sample sheet has 1 rows; this child is row 1"


def test_a_step_outside_a_job_says_what_is_missing(environment: dict[str, str]) -> None:
    words = [sys.executable, str(ROOT / "steps/picard.py")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "the environment variable PIPELINE_RUN is not set: a step runs as a pipeline's job\n"
    )


def test_an_error_of_the_step_itself_is_recorded(children: Children, script: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    script.write_text("from steps import main\nmain(lambda child: child.nothing)\n")
    done = run(children, script)
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    assert children.failure("upper")["reason"].startswith("AttributeError")


@pytest.mark.parametrize(
    ("end", "exit_code", "told"),
    [("", 1, "0"), ("0", 1, "0"), ("3", 3, "3"), ("'no licence'", 1, "1 (no licence)"), ("512", 1, "512")],
)
def test_a_step_that_ends_itself_is_a_failure(
    children: Children, script: Path, end: str, exit_code: int, told: str
) -> None:
    script.write_text(f"import sys\nfrom steps import main\nmain(lambda child: sys.exit({end}))\n")
    assert children.run(job("upper"), script=script).exit_code == exit_code
    reason = f"the step ended itself with exit code {told} before it published"
    assert children.failure("upper")["reason"] == reason
    assert children.markers(HERE) == []


def test_a_step_that_ends_itself_after_it_published_is_a_failure_too(
    children: Children, script: Path
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    script.write_text(UPPER.replace("at_least=1)", "at_least=1)\n    raise SystemExit"))
    assert run(children, script).exit_code == 1
    reason = "the step ended itself with exit code 0 before it was done"
    assert children.failure("upper")["reason"] == reason
    assert children.markers(HERE) == []


@pytest.mark.parametrize("end", ["1 / 0", "import os; os.kill(os.getpid(), 9)"])
def test_beside_a_reference_a_step_that_published_and_failed_leaves_an_empty_marker(
    children: Children, tmp_path: Path, end: str
) -> None:
    script = tmp_path / "index.py"
    text = UPPER.replace('"input", "{sample}.txt"', '"reference/genes.gtf"')
    script.write_text(text.replace("at_least=1)", f"at_least=1)\n    {end}"))
    genes = children.put("reference/demo/genes.gtf", "genes")
    told = job("index", scope="reference", inputs=["reference/genes.gtf"])
    assert children.run(told, script=script).exit_code != 0
    marker = MarkerName("index", due("f1", {}, {"reference/genes.gtf": genes}), "0" * MADE)
    keys = children.bucket.listing("reference/demo")
    assert sorted(keys) == sorted(f"reference/demo/{name}" for name in ("genes.gtf", "upper.txt", marker))
    assert children.bucket.get(f"reference/demo/{marker}") == b""


def test_an_s3_that_does_not_answer_is_69(children: Children, script: Path) -> None:
    nowhere = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = children.run(upper(), script=script, extra=nowhere)
    assert done.exit_code == 69
    assert done.stderr.startswith("upper failed: S3 failed: ")


def test_a_program_of_any_language_is_marked_the_same_way(children: Children, tmp_path: Path) -> None:
    program = tmp_path / "program.sh"
    program.write_text("#!/bin/sh\necho hello > upper.txt\n")
    told = job("upper", outputs=["upper.txt"])
    assert children.run(told, program, script=COMMAND).exit_code == 0
    [key] = children.markers(HERE)
    assert children.run(told, program, script=COMMAND).stdout == f"unchanged: {URL}/{key}\n"
