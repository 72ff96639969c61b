"""docs/steps.md shows steps that run as written."""

import dataclasses
import gzip
import re
import textwrap
from pathlib import Path

import pytest

from pipeline.model.pipeline import Pipeline, Step
from pipeline.model.sheet import parse_sheet
from tests.fetch_and_run.s3_server import ROOT
from tests.steps.conftest import COMMAND, Children, job


def test_the_python_step_of_the_page_runs(children: Children, tmp_path: Path) -> None:
    page = (ROOT / "docs/steps.md").read_text()
    found = re.search(r'^    """upper:.*?^        main\(shout\)$', page, re.DOTALL | re.MULTILINE)
    assert found
    script = tmp_path / "upper.py"
    script.write_text(textwrap.dedent(found[0]))
    children.bucket.put("input/s1.txt", "hello")
    done = children.run(job("upper", inputs=["input/{sample}.txt"], outputs=["upper.txt"]), script=script)
    assert done.exit_code == 0, done.stderr
    assert children.output("upper", "upper.txt") == b"HELLO"


@pytest.mark.parametrize("declared", [Step, Pipeline])
def test_every_argument_is_in_the_pages_table(declared: type) -> None:
    page = (ROOT / "docs/steps.md").read_text()
    _, _, table = page.partition(f"| `{declared.__name__}(…)` |")
    rows = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert rows == [field.name for field in dataclasses.fields(declared)]


def test_the_pages_pipe_fails_with_the_program_that_fails_in_it(children: Children, tmp_path: Path) -> None:
    page = (ROOT / "docs/steps.md").read_text()
    found = re.search(
        r"^    (#!/bin/bash\n    set -euo pipefail\n    gzip .*?)\n\n", page, re.DOTALL | re.MULTILINE
    )
    assert found
    program = tmp_path / "lines.sh"
    program.write_text(textwrap.dedent(f"    {found[1]}\n"))
    children.bucket.put("input/s1.txt.gz", gzip.compress(b"one\n" * 9)[:-4])
    told = job("lines", inputs=["input/{sample}.txt.gz"], outputs=["lines.tsv"])
    done = children.run(told, program, script=COMMAND)
    assert done.exit_code == 1
    assert "unexpected end of file" in children.failure("lines")["reason"]


def test_the_pages_sample_sheet_is_read_as_it_says() -> None:
    page = (ROOT / "docs/steps.md").read_text()
    found = re.search(r"^    sample,r1,.*?\n\n", page, re.DOTALL | re.MULTILINE)
    assert found
    sheet = parse_sheet(textwrap.dedent(found[0]), "the page")
    assert sheet.columns == ("sample", "r1", "r2", "library prep")
    assert sheet.rows == (
        ("patient 1", "lane 2/p1_1.fq", "lane 2/p1_2.fq", "poly-A"),
        ("patient 3, left", "p3.fq", "", 'total RNA, "fresh"'),
    )
