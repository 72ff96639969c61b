"""The three shell steps of examples/shell, as the library runs them."""

import subprocess
from pathlib import Path

import pytest

from tests.fetch_and_run.s3_server import ROOT
from tests.steps.conftest import COMMAND, Children, Ended, bucket, children, environment, job, s3_server

__all__ = ["bucket", "children", "environment", "s3_server"]
SHELL = "examples/shell"


@pytest.fixture
def words(children: Children) -> Children:
    children.sheet = [["sample"], ["a b"], ["c;d'é"]]
    children.bucket.put("input/a b.txt", "The cat, the dog.\n")
    children.bucket.put("input/c;d'é.txt", "Dog? Dog!\n")
    return children


def run(
    words: Children, step: str, source: str, output: str, *, row: int = 0, scope: str = "sample"
) -> Ended:
    room = source.partition("/")[0]
    after = {} if room == "input" else {room: "sample"}
    told = job(step, scope=scope, row=row, after=after, inputs=[source], outputs=(output,))
    return words.run(told, f"{SHELL}/{step}.sh", script=COMMAND)


def test_the_commonest_word_of_every_sample_is_in_the_table(words: Children) -> None:
    for row in (0, 1):
        assert run(words, "clean", "input/{sample}.txt", "words.txt", row=row).exit_code == 0
        assert run(words, "count", "clean/words.txt", "counts.tsv", row=row).exit_code == 0
    done = run(words, "table", "count/counts.tsv", "table.tsv", scope="run")
    assert done.exit_code == 0, done.stderr
    table = words.bucket.get("results/fusion/demo/table/c0ffee/table.tsv").decode()
    assert table == "sample\tcount\tword\na b\t2\tthe\nc;d'é\t2\tdog\n"


def test_a_text_without_words_fails_at_the_first_step(words: Children) -> None:
    words.bucket.put("input/a b.txt", "1, 2.\n")
    done = run(words, "clean", "input/{sample}.txt", "words.txt")
    assert done.exit_code == 1
    assert words.failure("clean", "a b")["reason"] == "clean.sh exited with 1 and said nothing"


@pytest.mark.parametrize("step", ["clean", "count", "table"])
def test_a_program_that_fails_within_a_pipe_fails_the_step(step: str, tmp_path: Path) -> None:
    done = subprocess.run([ROOT / SHELL / f"{step}.sh"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 0  # for its inputs are not there


def test_each_example_says_so_in_its_first_lines() -> None:
    for script in (ROOT / SHELL).glob("*.sh"):
        lines = script.read_text().splitlines()
        assert lines[0] == "#!/bin/bash"
        assert "set -euo pipefail" in lines
