"""Rooms: what runs in another place is another top-level folder, and inside the client no import climbs.

Each check takes the root of a project and tells what is wrong in it, so that it is shown to fail where an error is
planted.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOT_OURS = {"__pycache__"}

# What runs in which place, and what it may import of the other places; None: whatever it likes.
PLACES: Mapping[str, set[str] | None] = {
    "pipeline": {"pipeline", "steps.library.contract"},
    "steps": {"steps", "fetch_and_run"},
    "fetch_and_run": {"fetch_and_run"},
    "local_batch": {"local_batch"},
    "examples": None,
    "benchmarks": None,
    "tests": None,
    "dockerfiles": None,
}
DOOR_TO_LOCAL_BATCH = "pipeline/cloud/local.py"

# The client's rooms, each with those that it may import beside itself: those above it, and no sister of its own.
ROOMS: Mapping[str, tuple[str, ...]] = {
    "errors": (),
    "model": ("errors",),
    "cloud": ("errors", "model"),
    "plan": ("errors", "model", "cloud"),
    "follow": ("errors", "model", "cloud"),
    "submit": ("errors", "model", "cloud", "plan", "follow"),
    "stack": ("errors", "model", "cloud", "plan", "follow", "submit"),
    "images": ("errors", "model", "cloud", "plan", "follow", "submit", "stack"),
    "api": ("errors", "model", "cloud", "plan", "follow", "submit", "stack", "images"),
    "__init__": ("errors", "model"),  # the face of the package
    "cli": ("errors", "model", "cloud", "plan", "follow", "submit", "stack", "images", "api"),
}
ONE_DOOR = {"luigi": "pipeline/submit/tasks.py", "boto3": "pipeline/cloud/session.py"}
PURE = (
    "pipeline/model/*.py",
    "pipeline/plan/plan.py",
    "pipeline/plan/scripts.py",
    "pipeline/plan/fingerprint.py",
    "pipeline/submit/jobs.py",
    "pipeline/submit/differences.py",
    "pipeline/submit/definition.py",
    "pipeline/follow/causes.py",
    "pipeline/follow/document.py",
    "pipeline/follow/stall.py",
    "steps/library/contract.py",
)
IMPURE = {
    "boto3",
    "botocore",
    "luigi",
    "time",
    "random",
    "secrets",
    "os",
    "io",
    "tempfile",
    "subprocess",
    "socket",
}
CLOCK = {"now", "utcnow", "today"}
FILES = {"read_text", "read_bytes", "write_text", "write_bytes", "is_file", "is_dir", "exists", "iterdir", "glob",
         "rglob", "stat", "resolve", "unlink", "mkdir"}  # fmt: skip


def sources(root: Path, *patterns: str) -> list[Path]:
    """The Python files of a project below these patterns, all of them where there is none."""
    found = {
        file
        for pattern in patterns or [f"{place}/**/*.py" for place in PLACES]
        for file in root.glob(pattern)
    }
    return sorted(file for file in found if not NOT_OURS.intersection(file.parts))


def name_of(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def imported(root: Path, file: Path, *, with_types: bool = True) -> Iterator[str]:
    """The dotted names that a file imports anywhere; without types, but for those that only a type checker sees."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = file.relative_to(root).parent.parts
    for node in ast.walk(tree):
        if id(node) in typing_only and not with_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def unknown_places(root: Path) -> Iterator[str]:
    """Top-level folders of code of which nothing says where they run."""
    for folder in sorted(root.iterdir()):
        is_code = folder.is_dir() and not folder.name.startswith(".") and any(folder.rglob("*.py"))
        if is_code and folder.name not in PLACES:
            yield folder.name


def foreign_imports(root: Path) -> Iterator[str]:
    """Imports of what runs in another place."""
    for file in sources(root):
        name = name_of(root, file)
        allowed = PLACES[name.partition("/")[0]]
        for one in imported(root, file) if allowed is not None else ():
            is_foreign = one.partition(".")[0] in PLACES and not any(
                is_within(one, may) for may in allowed or ()
            )
            is_door = name == DOOR_TO_LOCAL_BATCH and is_within(one, "local_batch")
            if is_foreign and not is_door:
                yield f"{name} imports {one}"


def climbing_imports(root: Path) -> Iterator[str]:
    """Imports, in a room of the client, of a room that is not above it."""
    for file in sources(root, "pipeline/*/**/*.py", "pipeline/*.py"):
        name = name_of(root, file)
        room = name.split("/")[1].removesuffix(".py")
        if room not in ROOMS:
            yield f"{name} is in no room"
            continue
        for one in imported(root, file):
            there = one.split(".")[1] if one.startswith("pipeline.") else room
            if there not in {room, *ROOMS[room]}:
                yield f"{name} imports {one}"


def second_doors(root: Path) -> Iterator[str]:
    """Files beside the one door that import an outside service's library."""
    for file in sources(root, "pipeline/**/*.py"):
        name = name_of(root, file)
        for one in imported(root, file, with_types=False):
            door = ONE_DOOR.get(one.partition(".")[0])
            if door and door != name:
                yield f"{name} imports {one}"


def impurities(root: Path) -> Iterator[str]:
    """What pure code must not know: clouds, schedulers, clocks, chance and files."""
    for file in sources(root, *PURE):
        name = name_of(root, file)
        for one in imported(root, file, with_types=False):
            if one.partition(".")[0] in IMPURE:
                yield f"{name} imports {one}"
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                last = called.rpartition(".")[2]
                is_clock = last in CLOCK and called.startswith(("datetime", "date"))
                is_file = called == "open" or (
                    isinstance(node.func, ast.Attribute) and last in {*FILES, "open"}
                )
                if is_clock or is_file:
                    yield f"{name} calls {called}"


def printing(root: Path) -> Iterator[str]:
    """Printing in the client, outside the command line."""
    for file in sources(root, "pipeline/**/*.py"):
        name = name_of(root, file)
        if name.startswith("pipeline/cli/"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                yield f"{name} prints"
            elif isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}:
                yield f"{name} uses {ast.unparse(node)}"


def unsaid_rooms(root: Path) -> Iterator[str]:
    """Rooms of the client of which no single sentence says what is in them."""
    for folder in sorted({file.parent for file in sources(root, "pipeline/**/*.py")}):
        init = folder / "__init__.py"
        said = (ast.get_docstring(ast.parse(init.read_text())) if init.exists() else None) or ""
        if "\n" in said or not said.endswith(".") or ". " in said:
            yield f"{name_of(root, folder)} is not said in a sentence"


CHECKS: Mapping[str, Callable[[Path], Iterator[str]]] = {
    check.__name__: check
    for check in (
        unknown_places,
        foreign_imports,
        climbing_imports,
        second_doors,
        impurities,
        printing,
        unsaid_rooms,
    )
}

PLANTED = [
    ("unknown_places", "somewhere/code.py", "", "somewhere"),
    ("foreign_imports", "pipeline/api/x.py", "from local_batch import endpoint", "local_batch.endpoint"),
    ("foreign_imports", "pipeline/api/x.py", "def late():\n    import local_batch.engine", "local_batch.engine"),
    ("foreign_imports", "pipeline/api/x.py", "from steps.library.child import Child", "steps.library.child"),
    ("foreign_imports", "pipeline/cloud/deep/er/x.py", "import local_batch", "local_batch"),
    ("foreign_imports", "pipeline/cloud/local.py", "import fetch_and_run", "fetch_and_run"),
    ("foreign_imports", "steps/gather.py", "from pipeline.errors import Problem", "pipeline.errors"),
    ("foreign_imports", "steps/library/x.py", "import local_batch", "local_batch"),
    ("foreign_imports", "fetch_and_run/x.py", "from steps import child", "steps"),
    ("foreign_imports", "local_batch/api/x.py", "from pipeline.model import run", "pipeline.model"),
    ("climbing_imports", "pipeline/model/x.py", "from pipeline.cloud.bucket import Bucket", "pipeline.cloud"),
    ("climbing_imports", "pipeline/plan/x.py", "from pipeline.follow import causes", "pipeline.follow"),
    ("climbing_imports", "pipeline/follow/x.py", "from pipeline.plan import plan", "pipeline.plan"),
    ("climbing_imports", "pipeline/stack/x.py", "from pipeline.images import engine", "pipeline.images"),
    ("climbing_imports", "pipeline/api/x.py", "from pipeline.cli.screen import say", "pipeline.cli"),
    ("climbing_imports", "pipeline/errors.py", "from pipeline.model import status", "pipeline.model"),
    ("climbing_imports", "pipeline/__init__.py", "from pipeline.api import start", "pipeline.api"),
    ("climbing_imports", "pipeline/cloud/x.py", "from ..plan import plan", "pipeline.plan"),
    ("climbing_imports", "pipeline/cloud/x.py", "from pipeline import api", "pipeline.api"),
    ("climbing_imports", "pipeline/model/x.py",
     "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pipeline.api import start", "pipeline.api"),
    ("climbing_imports", "pipeline/attic/x.py", "", "is in no room"),
    ("second_doors", "pipeline/follow/tasks.py", "import luigi.rpc", "luigi.rpc"),
    ("second_doors", "pipeline/cloud/bucket.py", "def late():\n    import boto3", "boto3"),
    ("impurities", "pipeline/model/x.py", "import botocore.session", "botocore.session"),
    ("impurities", "pipeline/submit/jobs.py", "from time import sleep", "time.sleep"),
    ("impurities", "pipeline/submit/differences.py", "import secrets", "secrets"),
    ("impurities", "pipeline/plan/plan.py", "import os", "os"),
    ("impurities", "pipeline/follow/causes.py", "import datetime\nx = datetime.datetime.now()", "datetime.now"),
    ("impurities", "pipeline/follow/document.py", "from datetime import date\nx = date.today()", "date.today"),
    ("impurities", "pipeline/plan/fingerprint.py", "x = path.read_bytes()", "path.read_bytes"),
    ("impurities", "pipeline/plan/scripts.py", "x = open('x')", "open"),
    ("impurities", "steps/library/contract.py", "def late(p):\n    with p.open() as x: pass", "p.open"),
    ("printing", "pipeline/api/start.py", "print('done')", "prints"),
    ("printing", "pipeline/submit/launch.py", "import sys\nsys.stderr.write('x')", "sys.stderr"),
    ("unsaid_rooms", "pipeline/attic/x.py", "", "pipeline/attic"),
    ("unsaid_rooms", "pipeline/attic/__init__.py", "x = 1", "pipeline/attic"),
    ("unsaid_rooms", "pipeline/attic/__init__.py", '"""One. Two."""', "pipeline/attic"),
]  # fmt: skip

FINE = [
    ("foreign_imports", "pipeline/cloud/local.py", "from local_batch import endpoint"),
    ("foreign_imports", "pipeline/plan/x.py", "from steps.library.contract import due\nimport steps.library.contract"),
    ("foreign_imports", "tests/x.py", "import pipeline, local_batch, steps"),
    ("climbing_imports", "pipeline/submit/x.py", "from pipeline.plan import plan\nfrom pipeline.submit import jobs"),
    ("climbing_imports", "pipeline/__init__.py", "from pipeline.model.pipeline import Step"),
    ("second_doors", "pipeline/submit/tasks.py", "import luigi"),
    ("second_doors", "pipeline/cloud/x.py",
     "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import boto3"),
    ("impurities", "pipeline/model/x.py", "from datetime import datetime\nx = datetime.fromisoformat('2026-01-01')"),
    ("impurities", "pipeline/plan/code.py", "x = path.read_bytes()"),
    ("printing", "pipeline/cli/x.py", "print('done')"),
    ("unsaid_rooms", "pipeline/attic/__init__.py", '"""What nobody needs."""'),
]  # fmt: skip


def plant(root: Path, path: str, code: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(code + "\n")


@pytest.mark.parametrize("check", CHECKS)
def test_the_project_keeps_to_its_rooms(check: str) -> None:
    assert list(CHECKS[check](ROOT)) == []


@pytest.mark.parametrize(("check", "path", "code", "told"), PLANTED)
def test_a_planted_error_is_told(tmp_path: Path, check: str, path: str, code: str, told: str) -> None:
    plant(tmp_path, path, code)
    assert any(told in complaint for complaint in CHECKS[check](tmp_path))


@pytest.mark.parametrize(("check", "path", "code"), FINE)
def test_what_is_allowed_is_not_told(tmp_path: Path, check: str, path: str, code: str) -> None:
    plant(tmp_path, path, code)
    assert list(CHECKS[check](tmp_path)) == []


def test_every_check_is_shown_to_fail() -> None:
    assert {check for check, *_ in PLANTED} == set(CHECKS)


def test_every_pure_file_is_there() -> None:
    assert [pattern for pattern in PURE if not sources(ROOT, pattern)] == []


def test_no_room_may_import_a_room_that_may_import_it() -> None:
    assert [
        (room, above) for room, all_above in ROOMS.items() for above in all_above if room in ROOMS[above]
    ] == []
