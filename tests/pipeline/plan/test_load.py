"""A user's pipeline file: the pipeline that it defines, or where it goes wrong."""

from pathlib import Path

import pytest

from pipeline.errors import InputError, Problem
from pipeline.plan.load import load_pipeline

HEAD = "from pathlib import Path\nfrom pipeline import Pipeline, Step\n"


def problem_of(file: Path) -> Problem:
    with pytest.raises(InputError) as caught:
        load_pipeline(file)
    [problem] = caught.value.problems
    return problem


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.py"
    file.write_text(text)
    return file


def test_the_pipeline_of_a_file_has_its_scripts_beside_it(tmp_path: Path) -> None:
    pipeline = load_pipeline(written(tmp_path, f"{HEAD}pipeline = Pipeline('toy', [Step('s', 's.sh')])\n"))
    assert (pipeline.name, pipeline.folder) == ("toy", tmp_path)


def test_a_folder_that_is_given_stays(tmp_path: Path) -> None:
    text = f"{HEAD}pipeline = Pipeline('toy', [Step('s', 's.sh')], folder=Path('/elsewhere'))\n"
    assert load_pipeline(written(tmp_path, text)).folder == Path("/elsewhere")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "absent.py"
    assert problem_of(file) == Problem(
        f"there is no file {str(file)!r}", "--pipeline", "give the path of a pipeline file"
    )


@pytest.mark.parametrize("text", ["x = 1\n", f"{HEAD}pipeline = [Step('s', 's.sh')]\n"])
def test_a_file_without_a_pipeline_is_told(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    assert problem_of(file) == Problem(
        "it defines no `pipeline`", str(file), "write: pipeline = Pipeline('name', [Step(…), …])"
    )


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
        ("Step('s', 's.sh', memry=3)", "unexpected keyword argument 'memry'"),
        ("stpe", "NameError: name 'stpe' is not defined"),
        ("{}['x']", "KeyError: 'x'"),
        ("open('/nowhere/at/all')", "FileNotFoundError"),
        ("x = = 1", "SyntaxError: invalid syntax"),
        ("int('x')", "ValueError: invalid literal"),
        ("Path.none", "AttributeError: type object 'Path' has no attribute 'none'"),
    ],
)
def test_an_error_in_the_file_is_told_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    file = written(tmp_path, f"{HEAD}{line}\n")
    problem = problem_of(file)
    assert what in problem.what
    assert (problem.where, problem.fix) == (f"{file}, line 3", "mend the pipeline file")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import sys; sys.exit()", "SystemExit"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise SystemExit('no data')", "SystemExit: no data"),
        (
            "import subprocess; subprocess.run(['false'], check=True)",
            "CalledProcessError: Command '['false']' returned non-zero exit status 1.",
        ),
        ("import ast; ast.parse('x = = 1')", "SyntaxError: invalid syntax (<unknown>, line 1)"),
    ],
)
def test_a_file_that_leaves_or_fails_below_its_own_lines_is_told_with_its_line(
    tmp_path: Path, line: str, what: str
) -> None:
    file = written(tmp_path, f"{HEAD}{line}\n")
    assert problem_of(file) == Problem(what, f"{file}, line 3", "mend the pipeline file")


def test_a_file_with_a_nul_is_told_as_a_whole(tmp_path: Path) -> None:
    file = written(tmp_path, f"{HEAD}x = 1\0\n")
    problem = problem_of(file)
    assert "null bytes" in problem.what
    assert (problem.where, problem.fix) == (str(file), "mend the pipeline file")


def test_an_error_in_a_module_beside_the_file_is_told_with_its_line_there(tmp_path: Path) -> None:
    neighbour = tmp_path / "neighbour_that_fails.py"
    neighbour.write_text("one = 1\none / 0\n")
    file = written(tmp_path, "import neighbour_that_fails\n")
    assert problem_of(file).where == f"{neighbour}, line 2"


def test_a_pipeline_file_may_import_a_module_beside_it(tmp_path: Path) -> None:
    (tmp_path / "memory_of_steps.py").write_text("MIB = 512\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "from memory_of_steps import MIB\nfrom pipeline import Pipeline, Step\n"
        "pipeline = Pipeline('mine', [Step('a', 'a.sh', memory_mib=MIB)])\n"
    )
    assert load_pipeline(file).steps[0].memory_mib == 512


def test_any_error_of_a_pipeline_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("one = 1\none / 0\n")
    with pytest.raises(InputError, match=r"ZeroDivisionError: division by zero\n  where: .*mine.py, line 2"):
        load_pipeline(file)
