"""A script over the library that never comes to `main` is a failure, whatever it ends with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.fetch_and_run.s3_server import ROOT
from tests.steps.conftest import RESULTS, Children, Ended, job

DRIVE = ROOT / "steps/library/drive.py"
FORGOTTEN = (
    "the script ended without calling main(step): "
    'its last lines are to be: if __name__ == "__main__": main(…)'
)
STEP = """
from pathlib import Path
from steps import Child, DataError, main

def step(child: Child) -> None:
    Path("upper.txt").write_text("HELLO")
    child.publish("upper.txt")

"""


def drive(children: Children, tmp_path: Path, text: str, *arguments: str, start: str = STEP) -> Ended:
    """The script, beside a module of its own, ran as the pipeline runs it."""
    folder = tmp_path / "scripts"
    folder.mkdir(exist_ok=True)
    (folder / "beside.py").write_text("TEXT = 'from beside'\n")
    script = folder / "upper.py"
    script.write_text(start + text)
    return children.run(job("upper"), script, *arguments, script=DRIVE)


def test_a_script_that_comes_to_main_is_marked(children: Children, tmp_path: Path) -> None:
    done = drive(children, tmp_path, 'if __name__ == "__main__":\n    main(step)\n')
    assert done.exit_code == 0, done.stderr
    assert set(children.marker("upper")["files"]) == {"upper.txt"}


def test_a_script_finds_its_words_and_the_modules_beside_it_and_not_the_librarys_own(
    children: Children, tmp_path: Path
) -> None:
    text = """
import json, sys, beside
def tell(child: Child) -> None:
    found = [sys.argv, sys.path[:2], beside.TEXT, sys.modules["__main__"].__file__]
    Path("upper.txt").write_text(json.dumps([*found, any("steps/library" in path for path in sys.path)]))
    child.publish("upper.txt")
main(tell)
"""
    done = drive(children, tmp_path, text, "a b", "--x=1")
    assert done.exit_code == 0, done.stderr
    script = str(tmp_path / "scripts/upper.py")
    assert json.loads(children.output("upper", "upper.txt")) == [
        [script, "a b", "--x=1"],
        [str(tmp_path / "scripts"), str(ROOT)],
        "from beside",
        script,
        False,
    ]


@pytest.mark.parametrize("end", ["", "raise SystemExit", "import sys; sys.exit(0)"])
def test_a_script_that_forgot_main_is_told_its_last_lines(
    children: Children, tmp_path: Path, end: str
) -> None:
    done = drive(children, tmp_path, end)
    assert done.exit_code == 64
    assert done.stderr == f"upper failed: {FORGOTTEN}\n"
    assert children.failure("upper") == {
        "step": "upper",
        "sample": "s1",
        "attempt": 1,
        "reason": FORGOTTEN,
        "exit_code": 64,
        "job_id": "job-1",
    }
    assert children.bucket.listing(RESULTS) == []


@pytest.mark.parametrize(
    ("end", "exit_code", "told"),
    [("7", 7, "7"), ("256", 1, "256"), ("'no licence'", 1, "1 (no licence)")],
)
def test_a_script_that_ends_itself_before_main_keeps_its_exit_code(
    children: Children, tmp_path: Path, end: str, exit_code: int, told: str
) -> None:
    assert drive(children, tmp_path, f"raise SystemExit({end})").exit_code == exit_code
    reason = f"the script ended itself with exit code {told} without calling main(step)"
    assert children.failure("upper")["reason"] == reason


def test_an_error_before_main_is_recorded_with_its_traceback(children: Children, tmp_path: Path) -> None:
    done = drive(children, tmp_path, "import no_such_module\n")
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    assert children.failure("upper")["reason"] == "ModuleNotFoundError: No module named 'no_such_module'"


def test_wrong_data_that_are_told_before_main_are_65(children: Children, tmp_path: Path) -> None:
    assert drive(children, tmp_path, "raise DataError('cut')").exit_code == 65
    assert children.failure("upper")["reason"] == "cut"


def test_where_the_sheet_names_no_sample_the_record_does_not_either(
    children: Children, tmp_path: Path
) -> None:
    children.sheet = [["sample"]]
    assert drive(children, tmp_path, "").exit_code == 64
    assert children.failure("upper", "-")["reason"] == FORGOTTEN


def test_the_interpreter_that_a_script_asks_for_runs_it(children: Children, tmp_path: Path) -> None:
    tell = "import sys; print(sys.flags.no_user_site, sys.argv[1:], file=sys.stderr)\n"
    done = drive(children, tmp_path, tell, "x", start=f"#!{sys.executable} -us\n{STEP}")
    assert done.stderr == f"1 ['x']\nupper failed: {FORGOTTEN}\n"
    assert done.exit_code == 64


def test_an_interpreter_that_is_not_there_is_126(children: Children, tmp_path: Path) -> None:
    done = drive(children, tmp_path, "main(step)", start="#!/no/such/python\n" + STEP)
    assert done.exit_code == 126
    reason = "the script asks for '/no/such/python', which cannot be started: No such file or directory"
    assert children.failure("upper")["reason"] == reason
