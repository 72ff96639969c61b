"""Rooms: what runs in another place is another top-level folder, and does not import this one's."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "pipeline": {"pipeline"},
    "steps": {"steps", "fetch_and_run"},
    "fetch_and_run": {"fetch_and_run"},
    "local_batch": {"local_batch"},
}
PURE = ["model", "sheet", "layout", "plan", "run", "jobs", "definition", "ledger", "errors", "code"]
IMPURE = {"boto3", "botocore", "luigi", "time", "datetime", "random", "secrets"}
ONE_DOOR = {
    "luigi": {"tasks.py"},
    "boto3": {"aws.py"},
    "local_batch": {"local.py"},
}


def imported(file: Path) -> Iterator[str]:
    """The top-level names that a file imports anywhere, but for those that only a type checker sees."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_runs_in_the_same_place(room: str) -> None:
    allowed = MAY_IMPORT[room]
    for file in (ROOT / room).rglob("*.py"):
        foreign = (set(imported(file)) & set(MAY_IMPORT)) - allowed
        if room == "pipeline" and file.name in ONE_DOOR["local_batch"]:
            foreign.discard("local_batch")
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("name", PURE)
def test_pure_code_knows_no_cloud_no_scheduler_and_no_clock(name: str) -> None:
    assert not set(imported(ROOT / "pipeline" / f"{name}.py")) & IMPURE


@pytest.mark.parametrize("library", ONE_DOOR)
def test_each_outside_service_has_one_door(library: str) -> None:
    files = {file.name for file in (ROOT / "pipeline").glob("*.py") if library in set(imported(file))}
    assert files <= ONE_DOOR[library], files


def test_the_check_sees_an_import_inside_a_function(tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text("def late() -> None:\n    from local_batch import endpoint\n")
    assert "local_batch" in set(imported(file))
