"""What the steps library guarantees to a step, whatever its program."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fetch_and_run.s3_server import ROOT, Bucket
from tests.steps.conftest import Children, Ended
from tests.steps.hostile import ILLEGAL, NAMES

UPPER = "#!/bin/sh\ntr a-z A-Z < input/sample.txt > upper.txt\n"
IN, OUT = "input/{sample}.txt", "upper.txt"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.sh"


def run(children: Children, program: Path, text: str = UPPER, *, row: int = 0, **told: str) -> Ended:
    """The program ran as the step `upper`, by command.py."""
    program.write_text(text)
    script = ROOT / "steps/command.py"
    return children.run("upper", str(program), row=row, script=script, inputs=[IN], outputs=[OUT], **told)


def test_outputs_are_published_then_a_marker_tells_of_them(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program).exit_code == 0
    assert children.bucket.get("results/fusion/demo/upper/s1/upper.txt") == b"HELLO"
    marker = children.marker("upper")
    stored = children.bucket.client.head_object(Bucket="lab", Key="results/fusion/demo/upper/s1/upper.txt")
    assert marker["files"]["upper.txt"] == {
        "size": 5,
        "etag": stored["ETag"].strip('"'),
        "sha256": "3733cd977ff8eb18b987357e22ced99f46097f31ecb239e878ae63760e83e4d5",
    }
    source = children.bucket.client.head_object(Bucket="lab", Key="input/s1.txt")
    assert marker["inputs"] == {"s3://lab/input/s1.txt": source["ETag"].strip('"')}
    told = {name: marker[name] for name in ("fingerprint", "step", "sample", "run", "job_id", "attempt")}
    assert told == {
        "fingerprint": "f1",
        "step": "upper",
        "sample": "s1",
        "run": "s3://lab/runs/r1",
        "job_id": "job-1",
        "attempt": 1,
    }


def test_a_second_execution_changes_nothing(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program)
    before = children.marker("upper")
    done = run(children, program, "#!/bin/sh\nexit 1\n")
    assert (done.exit_code, done.stdout) == (
        0,
        "unchanged: s3://lab/results/fusion/demo/upper/s1/_SUCCESS.json\n",
    )
    assert children.marker("upper") == before


def _other_input(bucket: Bucket) -> None:
    bucket.put("input/s1.txt", "bye")


def _lost_output(bucket: Bucket) -> None:
    bucket.client.delete_object(Bucket="lab", Key="results/fusion/demo/upper/s1/upper.txt")


def _other_output(bucket: Bucket) -> None:
    bucket.put("results/fusion/demo/upper/s1/upper.txt", "HELL")


@pytest.mark.parametrize("change", [_other_input, _lost_output, _other_output])
def test_what_changed_in_the_bucket_is_made_again(
    children: Children, program: Path, change: Callable[[Bucket], None]
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program)
    change(children.bucket)
    assert "unchanged" not in run(children, program).stdout
    expected = children.bucket.get("input/s1.txt").upper()
    assert children.bucket.get("results/fusion/demo/upper/s1/upper.txt") == expected


def test_another_fingerprint_or_another_row_of_the_sheet_is_made_again(
    children: Children, program: Path
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program)
    assert "unchanged" not in run(children, program, PIPELINE_FINGERPRINT="f2").stdout
    children.sheet = [["sample", "lane"], ["s1", "7"]]
    assert "unchanged" not in run(children, program, PIPELINE_FINGERPRINT="f2").stdout


def test_an_output_that_is_missing_or_empty_fails_without_a_marker(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program, "#!/bin/sh\ntrue\n").exit_code == 65
    assert children.failure("upper")["reason"] == "upper.txt was not made"
    assert run(children, program, "#!/bin/sh\n: > upper.txt\n").exit_code == 65
    assert children.failure("upper")["reason"] == "upper.txt has 0 bytes, fewer than 1"
    assert children.bucket.listing("results/") == []


def test_a_missing_input_is_named(children: Children, program: Path) -> None:
    done = run(children, program)
    assert done.exit_code == 65
    assert children.failure("upper") == {
        "step": "upper",
        "sample": "s1",
        "attempt": 1,
        "reason": "input/s1.txt does not exist: s3://lab/input/s1.txt",
        "exit_code": 65,
        "job_id": "job-1",
    }
    assert done.stderr == "upper failed: input/s1.txt does not exist: s3://lab/input/s1.txt\n"


def test_the_programs_own_exit_code_is_passed_on(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program, "#!/bin/sh\necho no licence >&2\nexit 9\n").exit_code == 9
    assert children.failure("upper")["reason"] == "program.sh exited with 9: no licence"
    assert run(children, program, "#!/bin/sh\nkill -9 $$\n").exit_code == 137


def test_a_row_is_found_by_the_first_row_and_the_array_index(children: Children, program: Path) -> None:
    children.sheet = [["sample"], ["s1"], ["s2"], ["s3"]]
    children.bucket.put("input/s3.txt", "third")
    assert run(children, program, row=1, AWS_BATCH_JOB_ARRAY_INDEX="1").exit_code == 0
    assert children.marker("upper", "s3")["sample"] == "s3"


def test_a_row_beyond_the_sheet_is_refused(children: Children, program: Path) -> None:
    done = run(children, program, row=1)
    assert done.exit_code == 65
    assert children.failure("upper", "-")["reason"] == "the sample sheet has 1 rows; this child is row 1"


def test_the_program_finds_its_sample_its_columns_and_its_share(children: Children, program: Path) -> None:
    children.sheet = [["sample", "lane", "library prep"], ["s1", "7", "poly-A; 'x'"]]
    children.bucket.put("input/s1.txt", "hello")
    told = '"$SAMPLE" "$SAMPLE_LANE" "$SAMPLE_LIBRARY_PREP" "$VCPUS" "$MEMORY_MIB"'
    assert run(children, program, f"#!/bin/sh\nprintf '%s|' {told} > upper.txt\n").exit_code == 0
    assert children.bucket.get("results/fusion/demo/upper/s1/upper.txt") == b"s1|7|poly-A; 'x'|1|1024|"


def test_the_working_folder_is_fresh_and_always_removed(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program, "#!/bin/sh\nls > upper.txt; touch left; mkdir -p a/b; chmod 500 a\n")
    assert children.bucket.get("results/fusion/demo/upper/s1/upper.txt") == b"input\nupper.txt\n"
    run(children, program, "#!/bin/sh\ntouch left; exit 1\n")
    assert children.scratch() == []


def test_a_stopped_child_says_so_and_leaves_nothing(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    program.write_text("#!/bin/sh\necho up\nsleep 1000\n")
    told = children.told("upper", row=0, scope="sample", inputs=[IN], outputs=[OUT])
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "steps/command.py"), str(program)],
        env={**children.environment, **told},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stderr
    assert child.stderr.readline() == "up\n"
    os.killpg(child.pid, signal.SIGTERM)  # as fetch_and_run passes it on
    assert child.wait(timeout=30) == 143
    assert children.failure("upper")["reason"] == "stopped by signal 15"
    assert children.scratch() == []


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_sample_name_goes_through(children: Children, program: Path, name: str) -> None:
    children.sheet = [["sample"], [name]]
    children.bucket.put(f"input/{name}.txt", "hello")
    keeps_it = '#!/bin/sh\nprintf %s "$SAMPLE" > upper.txt\n'
    done = run(children, program, keeps_it)
    assert done.exit_code == 0, done.stderr
    assert children.bucket.get(f"results/fusion/demo/upper/{name}/upper.txt") == name.encode()
    assert "unchanged" in run(children, program, keeps_it).stdout


@pytest.mark.parametrize("name", ILLEGAL)
def test_a_sample_name_that_would_leave_its_folder_is_refused(
    children: Children, program: Path, name: str
) -> None:
    children.sheet = [["sample"], [name]]
    assert run(children, program).exit_code == 65
    assert "would leave its folder" in children.failure("upper", "-")["reason"]


def test_a_file_that_changed_since_its_step_published_it_is_refused(
    children: Children, program: Path
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program)
    children.bucket.put("results/fusion/demo/upper/s1/upper.txt", "HELL")
    program.write_text("#!/bin/sh\ncp upper/upper.txt again.txt\n")
    script = ROOT / "steps/command.py"
    done = children.run(
        "again", str(program), script=script, inputs=["upper/upper.txt"], outputs=["again.txt"]
    )
    assert done.exit_code == 65
    assert "is not the file that step upper published" in children.failure("again")["reason"]


def test_a_step_outside_a_job_says_what_is_missing(environment: dict[str, str]) -> None:
    words = [sys.executable, str(ROOT / "steps/picard.py")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == "the environment variable PIPELINE_RUN is not set: a step runs as a pipeline's job\n"
    )


def test_an_error_of_the_step_itself_is_recorded(children: Children, tmp_path: Path) -> None:
    step = tmp_path / "step.py"
    step.write_text("from steps.main import main\nmain(lambda child: child.nothing)\n")
    done = children.run("step", script=step)
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    assert children.failure("step")["reason"].startswith("AttributeError")


def test_a_declared_output_that_is_not_published_fails(children: Children, tmp_path: Path) -> None:
    step = tmp_path / "step.py"
    step.write_text("from steps.main import main\nmain(lambda child: None)\n")
    assert children.run("step", script=step, outputs=["a", "b"]).exit_code == 1
    assert children.failure("step")["reason"] == "the step ended without publishing a, b"


def test_an_s3_that_does_not_answer_is_69(children: Children, program: Path) -> None:
    done = run(children, program, AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert done.exit_code == 69
    assert done.stderr.startswith("upper failed: S3 failed: ")


def test_a_python_program_runs_beside_the_library(children: Children, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys, json\njson.dump(sys.argv[1:], open('upper.txt', 'w'))\n")
    script = ROOT / "steps/command.py"
    done = children.run(
        "upper", str(program), "a b", "--x=1", script=script, outputs=[OUT], PATH="/usr/bin:/bin"
    )
    assert done.exit_code == 0, done.stderr
    assert json.loads(children.bucket.get("results/fusion/demo/upper/s1/upper.txt")) == ["a b", "--x=1"]


def once(children: Children, program: Path, step: str, text: str, source: str, output: str) -> None:
    """The program ran as a step of the whole run."""
    program.write_text(f"#!/bin/sh\n{text}\n")
    script = ROOT / "steps/command.py"
    done = children.run(step, str(program), script=script, scope="run", inputs=[source], outputs=[output])
    assert done.exit_code == 0, done.stderr


def test_a_step_of_the_whole_run_follows_another(children: Children, program: Path) -> None:
    children.sheet = [["sample", "lane"], ["s1", "1"], ["s2", "2"]]
    for sample in ("s1", "s2"):
        children.bucket.put(f"input/{sample}.txt", sample)
    once(children, program, "join", "cat input/*/sample.txt > joined.txt", IN, "joined.txt")
    once(
        children,
        program,
        "show",
        "cat join/joined.txt samples.tsv > shown.txt",
        "join/joined.txt",
        "shown.txt",
    )
    shown = children.bucket.get("results/fusion/demo/show/c0ffee/shown.txt")
    assert shown == b"s1s2sample\tlane\ns1\t1\ns2\t2\n"


def test_an_input_may_be_named_by_a_column_of_the_sheet(children: Children, program: Path) -> None:
    children.sheet = [["sample", "r1"], ["s1", "lane 2/one.fq"]]
    children.bucket.put("input/lane 2/one.fq", "ACGT")
    program.write_text("#!/bin/sh\ncp input/r1 upper.txt\n")
    script = ROOT / "steps/command.py"
    done = children.run("upper", str(program), script=script, inputs=["input/{r1}"], outputs=["upper.txt"])
    assert done.exit_code == 0, done.stderr
    assert children.bucket.get("results/fusion/demo/upper/s1/upper.txt") == b"ACGT"


def test_a_step_per_sample_follows_one_of_the_whole_run(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "s1")
    once(children, program, "join", "cat input/*/sample.txt > joined.txt", IN, "joined.txt")
    program.write_text("#!/bin/sh\ncp join/joined.txt own.txt\n")
    script = ROOT / "steps/command.py"
    done = children.run("own", str(program), script=script, inputs=["join/joined.txt"], outputs=["own.txt"])
    assert done.exit_code == 0, done.stderr
    assert children.bucket.get("results/fusion/demo/own/s1/own.txt") == b"s1"
