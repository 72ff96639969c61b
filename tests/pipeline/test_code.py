"""The zip of batch-side code."""

import io
import zipfile
from pathlib import Path

import pytest

from pipeline import Pipeline, Step
from pipeline.code import command, fingerprint, pack
from pipeline.errors import InputError
from tests.pipeline.examples import toy


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    first = pack(toy(tmp_path))
    assert pack(toy(tmp_path)).sha256 == first.sha256


def test_the_zip_holds_the_library_and_the_scripts_all_executable(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(pack(toy(tmp_path)).body))
    assert {"a.sh", "steps/child.py", "steps/command.py"} <= set(archive.namelist())
    assert all(entry.external_attr >> 16 == 0o100755 for entry in archive.infolist())


def test_a_script_that_would_hide_the_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/child.py").write_text("print()\n")
    pipeline = Pipeline("toy", [Step("x", "steps/child.py")], folder=tmp_path)
    with pytest.raises(InputError, match="steps library"):
        pack(pipeline)


def test_a_script_that_imports_the_library_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from steps.child import Child\n")
    step = Step("mine", "mine.py")
    assert command(Pipeline("toy", [step], folder=tmp_path), step) == ["mine.py"]


@pytest.mark.parametrize("name", ["plain.py", "plain.R", "plain.sh"])
def test_any_other_program_is_run_by_the_library(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# from steps.child import Child\n")
    step = Step("plain", name)
    assert command(Pipeline("toy", [step], folder=tmp_path), step) == ["steps/command.py", name]


def test_the_fingerprint_is_of_the_script_image_and_parameters_not_of_the_machine(tmp_path: Path) -> None:
    base = fingerprint(toy(tmp_path), toy(tmp_path).step("b"))
    same = toy(tmp_path, memory_mib=9000, retries=3)
    other = toy(tmp_path, image="other")
    assert fingerprint(same, same.step("b")) == base
    assert fingerprint(other, other.step("b")) != base
