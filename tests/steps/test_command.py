"""What a program in any language is given, and what becomes of what it leaves."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from steps.library.contract import Input
from tests.steps.conftest import COMMAND, RESULTS, Children, Ended, job
from tests.steps.hostile import ILLEGAL, NAMES

UPPER = "tr a-z A-Z < input/sample.txt > upper.txt"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.sh"


def run(children: Children, program: Path, text: str = UPPER, step: str = "upper", **told: Any) -> Ended:
    """The shell script ran as a step that makes upper.txt of input/{sample}.txt, unless told otherwise."""
    program.write_text(f"#!/bin/sh\n{text}\n")
    usual = {"inputs": ["input/{sample}.txt"], "outputs": ["upper.txt"]}
    return children.run(job(step, **(usual | told)), program, script=COMMAND)


def test_its_declared_outputs_are_published(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program).exit_code == 0
    assert children.output("upper", "upper.txt") == b"HELLO"


def test_an_output_that_is_missing_or_empty_fails_without_a_marker(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program, "true").exit_code == 65
    assert children.failure("upper")["reason"] == "upper.txt was not made"
    assert run(children, program, ": > upper.txt").exit_code == 65
    assert children.failure("upper")["reason"] == "upper.txt has 0 bytes, fewer than 1"
    assert children.bucket.listing(RESULTS) == []


def test_its_own_exit_code_is_passed_on(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program, "echo no licence >&2\nexit 9").exit_code == 9
    assert children.failure("upper")["reason"] == "program.sh exited with 9: no licence"
    assert run(children, program, "kill -9 $$").exit_code == 137


def test_it_finds_its_sample_its_declared_columns_and_its_share(children: Children, program: Path) -> None:
    children.sheet = [["sample", "lane", "library prep"], ["s1", "7", "poly-A; 'x'"]]
    children.bucket.put("input/s1.txt", "hello")
    told = '"$SAMPLE" "$SAMPLE_LANE" "$SAMPLE_LIBRARY_PREP" "$VCPUS" "$MEMORY_MIB"'
    text = f"printf '%s|' {told} > upper.txt"
    assert run(children, program, text, columns=("library prep", "lane")).exit_code == 0
    assert children.output("upper", "upper.txt") == b"s1|7|poly-A; 'x'|1|1024|"


def test_a_column_that_is_not_declared_is_not_in_its_environment(children: Children, program: Path) -> None:
    children.sheet = [["sample", "lane"], ["s1", "7"]]
    children.bucket.put("input/s1.txt", "hello")
    assert run(children, program, 'echo "${SAMPLE_LANE-none}" > upper.txt').exit_code == 0
    assert children.output("upper", "upper.txt") == b"none\n"


def test_its_working_folder_is_fresh_and_always_removed(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    run(children, program, "ls > upper.txt; touch left; mkdir -p a/b; chmod 500 a")
    assert children.output("upper", "upper.txt") == b"input\nupper.txt\n"
    run(children, program, "touch left; exit 1")
    assert children.scratch() == []


def test_a_stopped_child_says_so_and_leaves_nothing(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "hello")
    children.pin_sheet()
    program.write_text("#!/bin/sh\necho up\nsleep 1000\n")
    child = subprocess.Popen(
        [sys.executable, COMMAND, program],
        env=children.told(job("upper", inputs=["input/{sample}.txt"], outputs=["upper.txt"])),
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
    keeps_it = 'printf %s "$SAMPLE" > upper.txt'
    done = run(children, program, keeps_it)
    assert done.exit_code == 0, done.stderr
    assert children.output("upper", "upper.txt", name) == name.encode()
    assert "unchanged" in run(children, program, keeps_it).stdout
    done = run(children, program, "cp upper/upper.txt again.txt", "again", **FOLLOWS)
    assert done.exit_code == 0, done.stderr


FOLLOWS: dict[str, Any] = {
    "after": {"upper": "sample"},
    "inputs": ["upper/upper.txt"],
    "outputs": ["again.txt"],
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_a_sample_name_that_would_leave_its_folder_is_refused(
    children: Children, program: Path, name: str
) -> None:
    children.sheet = [["sample"], [name]]
    assert run(children, program).exit_code == 65
    assert "would leave its folder" in children.failure("upper", "-")["reason"]


def test_a_python_program_runs_beside_the_library(children: Children, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys, json\njson.dump(sys.argv[1:], open('upper.txt', 'w'))\n")
    told = job("upper", outputs=["upper.txt"])
    done = children.run(told, program, "a b", "--x=1", script=COMMAND, extra={"PATH": "/usr/bin:/bin"})
    assert done.exit_code == 0, done.stderr
    assert json.loads(children.output("upper", "upper.txt")) == ["a b", "--x=1"]


def test_an_input_may_be_named_by_a_column_of_the_sheet(children: Children, program: Path) -> None:
    children.sheet = [["sample", "r1"], ["s1", "lane 2/one.fq"]]
    children.bucket.put("input/lane 2/one.fq", "ACGT")
    done = run(children, program, "cp input/r1 upper.txt", inputs=["input/{r1}"])
    assert done.exit_code == 0, done.stderr
    assert children.output("upper", "upper.txt") == b"ACGT"


def test_an_optional_input_that_is_absent_is_not_in_the_working_folder(
    children: Children, program: Path
) -> None:
    inputs = [Input("input/{sample}.txt"), Input("input/{r2}", is_optional=True)]
    children.sheet = [["sample", "r2"], ["s1", ""], ["s2", "two.fq"]]
    for key in ("s1.txt", "s2.txt", "two.fq"):
        children.bucket.put(f"input/{key}", "x")
    for row, there in enumerate([b"sample.txt\n", b"r2\nsample.txt\n"]):
        assert run(children, program, "ls input > upper.txt", row=row, inputs=inputs).exit_code == 0
        assert children.output("upper", "upper.txt", f"s{row + 1}") == there


def test_a_step_before_of_which_no_file_is_declared_is_not_fetched(children: Children, program: Path) -> None:
    children.publish("trim", {"big.fq": b"ACGT"})
    assert run(children, program, "ls > upper.txt", after={"trim": "sample"}, inputs=[]).exit_code == 0
    assert children.output("upper", "upper.txt") == b"upper.txt\n"
    children.publish("trim", {"big.fq": b"TTTT"})
    again = run(children, program, "ls > upper.txt", after={"trim": "sample"}, inputs=[])
    assert "unchanged" not in again.stdout


def once(children: Children, program: Path, step: str, text: str, **told: Any) -> None:
    """The program ran as a step of the whole run."""
    done = run(children, program, text, step, scope="run", outputs=[f"{step}.txt"], **told)
    assert done.exit_code == 0, done.stderr


def test_a_step_of_the_whole_run_sees_every_sample_and_the_declared_columns(
    children: Children, program: Path
) -> None:
    children.sheet = [["sample", "lane", "k"], ["s1", "1", "31"], ["s2", "2", "21"]]
    for sample in ("s1", "s2"):
        children.bucket.put(f"input/{sample}.txt", sample)
        children.publish("count", {"counts.tsv": b"7"}, sample=sample)
    once(children, program, "join", "cat input/*/sample.txt samples.tsv > join.txt", columns=("k",))
    assert children.output("join", "join.txt", "c0ffee") == b"s1s2sample\tk\ns1\t31\ns2\t21\n"
    text = "cat join/join.txt count/*/counts.tsv samples.tsv > show.txt"
    told = {"after": {"join": "run", "count": "sample"}, "inputs": ["join/join.txt", "count/counts.tsv"]}
    once(children, program, "show", text, **told)
    assert children.output("show", "show.txt", "c0ffee").endswith(b"s2\t21\n77sample\ns1\ns2\n")


def test_a_step_per_sample_follows_one_of_the_whole_run(children: Children, program: Path) -> None:
    children.bucket.put("input/s1.txt", "s1")
    once(children, program, "join", "cat input/*/sample.txt > join.txt")
    told = {"after": {"join": "run"}, "inputs": ["join/join.txt"], "outputs": ["own.txt"]}
    done = run(children, program, "cp join/join.txt own.txt", "own", **told)
    assert done.exit_code == 0, done.stderr
    assert children.output("own", "own.txt") == b"s1"
