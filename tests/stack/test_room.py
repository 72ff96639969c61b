"""pipeline/stack and pipeline/images take values and return values: words and questions are the command line's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parent.parent.parent / "pipeline"
NOT_THEIRS = {"argparse", "sys", "pipeline.cli", "pipeline.plan", "pipeline.follow", "pipeline.submit"}


def imported(file: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("room", ["stack", "images"])
def test_a_room_prints_nothing_and_imports_nothing_above_it(room: str) -> None:
    above = NOT_THEIRS | ({"pipeline.images"} if room == "stack" else set())
    for file in (PIPELINE / room).glob("*.py"):
        climbs = {name for name in imported(file) for other in above if is_in(name, other)}
        assert not climbs, f"{file.name} imports {climbs}"
        said = [node for node in ast.walk(ast.parse(file.read_text())) if _is_said(node)]
        assert not said, f"{file.name} prints"


def _is_said(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}
    )


def test_the_check_sees_a_module_of_another_room_and_a_print(tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text("def late() -> None:\n    from pipeline import cli\n    print(cli)\n")
    assert "pipeline.cli" in set(imported(file))
    assert any(map(_is_said, ast.walk(ast.parse(file.read_text()))))
