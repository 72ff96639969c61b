"""The zip of batch-side code, and which files each step stands on."""

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import pytest

import main
from pipeline import Pipeline, Step
from pipeline.errors import InputError
from pipeline.plan.code import Code, pack
from tests.pipeline.examples import toy, versions_of

ROOT = Path(main.__file__).parent


def packed(code: Code, step: str = "b") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(code.steps[step].body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def stands_on(folder: Path, files: dict[str, str], script: str = "s.py") -> set[str]:
    """The files whose digests count for a step of that script."""
    write(folder, files)
    return set(pack(Pipeline("toy", [Step("s", script)], folder=folder)).steps["s"].digests)


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    assert pack(toy(tmp_path)).zips == pack(toy(tmp_path)).zips


def test_the_zip_is_named_by_its_own_digest(tmp_path: Path) -> None:
    zips = pack(toy(tmp_path)).zips
    assert len(zips) == 4
    assert all(sha256 == hashlib.sha256(body).hexdigest() for sha256, body in zips.items())


def test_the_bytes_depend_on_no_clock_and_no_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(pack(toy(tmp_path)).steps["a"].body)) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_DEFLATED}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_the_zip_holds_the_library_and_the_scripts_all_executable(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(pack(toy(tmp_path)).steps["a"].body))
    assert {"a.sh", "steps/__init__.py", "steps/library/child.py", "steps/library/command.py"} <= set(
        archive.namelist()
    )
    assert all(entry.external_attr >> 16 == 0o100755 for entry in archive.infolist())


def test_what_is_packed_is_what_is_on_disk(tmp_path: Path) -> None:
    files = packed(pack(toy(tmp_path)), "a")
    assert files["a.sh"] == (tmp_path / "a.sh").read_bytes()
    assert files["steps/library/child.py"] == (ROOT / "steps/library/child.py").read_bytes()
    assert "steps/pizzly.py" not in files


def test_a_step_has_no_file_that_its_fingerprint_leaves_out(tmp_path: Path) -> None:
    code = pack(toy(tmp_path))
    for name, step in code.steps.items():
        own = {file for file in packed(code, name) if not file.startswith("steps/")}
        assert own == set(step.digests) == {f"{name}.sh"}


def test_fingerprints_are_of_the_very_bytes_that_were_packed(tmp_path: Path) -> None:
    pipeline = toy(tmp_path)
    code = pack(pipeline)
    before = versions_of(pipeline, code)
    (tmp_path / "b.sh").write_text("#!/bin/sh\necho edited since\n")
    assert versions_of(pipeline, code) == before
    digest = hashlib.sha256(packed(code)["b.sh"]).hexdigest()
    assert code.steps["b"].digests == {"b.sh": digest}


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"one.py": "import shared\n", "two.py": "import shared\n", "shared.py": ""})
    pipeline = Pipeline(
        "toy", [Step("one", "one.py"), Step("two", "two.py")], files=["shared.py"], folder=tmp_path
    )
    read: list[Path] = []
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    pack(pipeline)
    assert sorted(path.name for path in read if path.is_relative_to(tmp_path)) == [
        "one.py",
        "shared.py",
        "two.py",
    ]
    assert len(read) == len(set(read))


def test_an_absent_script_and_absent_files_are_told_at_once(tmp_path: Path) -> None:
    steps = [Step("x", "absent.sh"), Step("y", "gone.R")]
    with pytest.raises(InputError) as caught:
        pack(Pipeline("toy", steps, files=["table.tsv"], folder=tmp_path))
    problems = caught.value.problems
    assert [problem.what for problem in problems] == [
        f"its file {name!r} is not in {tmp_path}, or leads out of it"
        for name in ("absent.sh", "table.tsv", "gone.R", "table.tsv")
    ]
    assert problems[0].where == "step 'x' of pipeline 'toy'"
    assert problems[0].fix == "change it in the pipeline's file"


@pytest.mark.parametrize("script", ["../s.sh", "link.sh"])
def test_a_script_outside_the_pipelines_folder_is_refused(tmp_path: Path, script: str) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "s.sh").touch()
    (tmp_path / "inner/link.sh").symlink_to(tmp_path / "s.sh")
    with pytest.raises(InputError, match="leads out of it"):
        pack(Pipeline("toy", [Step("s", script)], folder=tmp_path / "inner"))


def test_a_folder_is_no_script(tmp_path: Path) -> None:
    (tmp_path / "s.sh").mkdir()
    with pytest.raises(InputError, match="is not in"):
        pack(Pipeline("toy", [Step("s", "s.sh")], folder=tmp_path))


def test_a_script_that_would_hide_the_library_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"steps/library/child.py": "print()\n"})
    with pytest.raises(InputError) as caught:
        pack(Pipeline("toy", [Step("x", "steps/library/child.py")], folder=tmp_path))
    [problem] = caught.value.problems
    assert problem.what == "the file 'steps/library/child.py' has the name of one in the steps library"
    assert problem.where == str(tmp_path / "steps/library/child.py")
    assert problem.fix == "rename it, or put it into a folder that is not called steps"


def test_a_file_that_is_the_librarys_own_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    shutil.copy(ROOT / "steps/__init__.py", tmp_path / "steps")
    write(tmp_path, {"s.sh": ""})
    pack(Pipeline("toy", [Step("x", "s.sh")], files=["steps/__init__.py"], folder=tmp_path))


def test_a_script_that_is_no_python_is_told_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, {"s.py": "import helper\n", "helper.py": "x = 1\nx = = 2\n"})
    with pytest.raises(InputError) as caught:
        pack(Pipeline("toy", [Step("x", "s.py")], folder=tmp_path))
    [problem] = caught.value.problems
    assert problem.what == "the script is no Python: invalid syntax"
    assert (problem.where, problem.fix) == ("helper.py, line 2", "mend the script")


def test_a_script_that_imports_the_library_is_run_by_what_sees_that_it_comes_to_its_main(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"mine.py": "from steps import Child\n"})
    code = pack(Pipeline("toy", [Step("mine", "mine.py")], folder=tmp_path))
    assert code.steps["mine"].command == ("steps/library/drive.py", "mine.py")


@pytest.mark.parametrize("name", ["plain.py", "plain.R", "plain.sh"])
def test_any_other_program_is_run_by_the_library(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: "# from steps import Child\n"})
    code = pack(Pipeline("toy", [Step("plain", name)], folder=tmp_path))
    assert code.steps["plain"].command == ("steps/library/command.py", name)


def test_a_program_stands_on_its_script_and_on_the_pipelines_files(tmp_path: Path) -> None:
    write(tmp_path, {"s.R": "source('lib.R')", "lib.R": "", "other.R": ""})
    steps = [Step("s", "s.R"), Step("other", "other.R")]
    code = pack(Pipeline("toy", steps, files=["lib.R"], folder=tmp_path))
    assert list(code.steps["s"].digests) == ["lib.R", "s.R"]
    assert list(code.steps["other"].digests) == ["lib.R", "other.R"]
    assert code.steps["s"].digests["lib.R"] == hashlib.sha256(b"").hexdigest()


def test_a_module_beside_the_script_counts(tmp_path: Path) -> None:
    files = {"s.py": "import json, helper\n", "helper.py": "", "bystander.py": ""}
    assert stands_on(tmp_path, files) == {"s.py", "helper.py"}


def test_the_folder_itself_is_no_package(tmp_path: Path) -> None:
    files = {"s.py": "import helper\n", "helper.py": "", "__init__.py": "", ".py": ""}
    assert stands_on(tmp_path, files) == {"s.py", "helper.py"}


def test_imports_of_imports_count_even_in_a_circle(tmp_path: Path) -> None:
    files = {"s.py": "import a\n", "a.py": "import b\n", "b.py": "import c, a\n", "c.py": "import s\n"}
    assert stands_on(tmp_path, files) == {"s.py", "a.py", "b.py", "c.py"}


def test_a_package_counts_with_its_own_module_and_those_that_are_imported_from_it(tmp_path: Path) -> None:
    files = {
        "s.py": "from lab.tools import trim\nimport lab.deep.er\n",
        "lab/__init__.py": "",
        "lab/tools/__init__.py": "",
        "lab/tools/trim.py": "",
        "lab/tools/other.py": "",
        "lab/deep/er.py": "",
    }
    assert stands_on(tmp_path, files) == set(files) - {"lab/tools/other.py"}


def test_a_name_that_is_no_module_counts_by_the_module_that_holds_it(tmp_path: Path) -> None:
    files = {"s.py": "from helper import answer\n", "helper.py": "answer = 42\n"}
    assert stands_on(tmp_path, files) == {"s.py", "helper.py"}


def test_relative_imports_count(tmp_path: Path) -> None:
    files = {
        "s.py": "import lab.one\n",
        "lab/__init__.py": "",
        "lab/one.py": "from . import two\nfrom .three import x\n",
        "lab/two.py": "",
        "lab/three.py": "from .sub.four import y\n",
        "lab/sub/four.py": "from .. import five\nfrom ..six import z\nfrom ... import top\n",
        "lab/five.py": "",
        "lab/six.py": "",
        "top.py": "",
        "five.py": "",
        "lab/top.py": "",
    }
    assert stands_on(tmp_path, files) == set(files) - {"five.py", "lab/top.py"}


def test_a_relative_import_from_above_the_folder_is_no_file_of_the_pipeline(tmp_path: Path) -> None:
    assert stands_on(tmp_path, {"s.py": "from ... import x\n", "x.py": ""}) == {"s.py"}


def test_modules_are_looked_for_beside_the_entry_script_and_in_the_folder(tmp_path: Path) -> None:
    files = {
        "code/s.py": "import beside, atop\n",
        "code/beside.py": "import third\n",
        "code/third.py": "",
        "atop.py": "",
    }
    assert stands_on(tmp_path, files, "code/s.py") == set(files)


def test_an_import_within_a_function_counts(tmp_path: Path) -> None:
    files = {"s.py": "def f():\n    import helper\n", "helper.py": ""}
    assert stands_on(tmp_path, files) == {"s.py", "helper.py"}


def test_imported_modules_are_packed(tmp_path: Path) -> None:
    write(tmp_path, {"s.py": "import helper\n", "helper.py": "x = 1\n", "bystander.py": ""})
    files = packed(pack(Pipeline("toy", [Step("s", "s.py")], folder=tmp_path)), "s")
    assert files["helper.py"] == b"x = 1\n"
    assert "bystander.py" not in files


def test_a_step_stands_only_on_what_its_own_script_imports(tmp_path: Path) -> None:
    write(tmp_path, {"one.py": "import helper\n", "two.py": "", "helper.py": ""})
    code = pack(Pipeline("toy", [Step("one", "one.py"), Step("two", "two.py")], folder=tmp_path))
    assert list(code.steps["two"].digests) == ["two.py"]


def test_the_core_library_does_not_count(tmp_path: Path) -> None:
    files = {"s.py": "from steps import Child\nfrom steps.library.child import Child\n"}
    assert stands_on(tmp_path, files) == {"s.py"}


@pytest.fixture
def fusion(tmp_path: Path) -> Pipeline:
    """The default pipeline, whose files can be edited."""
    shutil.copytree(ROOT / "steps", tmp_path / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    return Pipeline("fusion", main.fusion.steps, folder=tmp_path)


def changed(pipeline: Pipeline, name: str, old: str, new: str) -> set[str]:
    """The steps that are others after that edit of a file."""
    before = versions_of(pipeline)
    file = pipeline.folder / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    after = versions_of(pipeline)
    return {name for name in before if before[name] != after[name]}


def test_the_index_notices_another_k_of_pizzly(fusion: Pipeline) -> None:
    assert changed(fusion, "steps/pizzly.py", '"-k", 31', '"-k", 25') == {"index", "pizzly"}


def test_a_format_counts_for_the_steps_that_read_it(fusion: Pipeline) -> None:
    assert changed(fusion, "steps/formats/bam.py", "def ", "def  ") == {"picard"}
    assert changed(fusion, "steps/formats/fusions.py", "def ", "def  ") == {
        "index",
        "kallisto",
        "pizzly",
        "gather",
    }
