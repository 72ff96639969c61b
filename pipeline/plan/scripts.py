"""What a script's text tells before it runs: what it imports, what it fetches, which columns it reads. Pure."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.errors import Problem
from pipeline.model.pipeline import Per, Pipeline, Step
from pipeline.model.sheet import SampleSheet, variable
from steps.library.contract import on_disk

FETCHES = {"fetch", "fetch_all", "read_tail"}
COLUMN_VARIABLE = re.compile(rb"\bSAMPLE_([A-Z0-9_]+)\b")


@dataclass(frozen=True)
class Script:
    """One file of code. `imports` are (level, dotted name) of Python's; `fetches` the paths that are written out."""

    name: str
    imports: tuple[tuple[int, str], ...] = ()
    fetches: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()  # the SAMPLE_… that its text names

    @property
    def drives_its_child(self) -> bool:
        """Whether it imports the steps library, and so fetches, checks and publishes by itself."""
        return any(not level and name.split(".")[0] == "steps" for level, name in self.imports)


def read_script(name: str, body: bytes) -> Script:
    """What the text tells. Raises: SyntaxError for Python that is none."""
    variables = frozenset(found.decode() for found in COLUMN_VARIABLE.findall(body))
    if PurePosixPath(name).suffix != ".py":
        return Script(name, variables=variables)
    nodes = list(ast.walk(ast.parse(body, name)))
    return Script(name, tuple(_imports(nodes)), tuple(_fetches(nodes)), variables)


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield node.level, module
            yield from ((node.level, f"{module}.{alias.name}") for alias in node.names)


def _fetches(nodes: list[ast.AST]) -> Iterator[str]:
    """The path of each fetch whose words are all constants, or whose first one is: "picard/" where the file is not."""
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        words = [
            word.value if isinstance(word, ast.Constant) and isinstance(word.value, str) else None
            for word in node.args
        ]
        if node.func.attr == "reference" and len(words) == 1 and words[0] is not None:
            yield f"reference/{words[0]}"
        elif node.func.attr in FETCHES and words and words[0] is not None:
            yield _path(words if node.func.attr == "fetch" else words[:1])


def _path(words: Sequence[str | None]) -> str:
    """The words as a path, as far as they are written: it ends in a slash where one is not."""
    written = list(itertools.takewhile(lambda word: word is not None, words))
    return "/".join(map(str, written)) + ("/" if len(written) < len(words) else "")


def fetch_problems(pipeline: Pipeline, step: Step, script: Script) -> Iterator[Problem]:
    """A problem for each fetch, in a script over the library, of what the step does not declare or wait for."""
    declared = {on_disk(one.path) for one in step.declared}
    rooms = {one.room for one in step.declared}  # of a step among them, only what is declared can be fetched
    after = {upstream.name for upstream in step.after if upstream.per != Per.REFERENCE}
    names = {other.name for other in pipeline.steps}
    for path in dict.fromkeys(script.fetches if script.drives_its_child else ()):
        room = path.partition("/")[0]
        where = f"{script.name}, step {step.name!r} of pipeline {pipeline.name!r}"
        if room in names and room not in after:
            fix = f"name the step {room!r} in after=[…] of {step.name!r}"
            yield Problem(f"it fetches {path!r} of a step that it does not wait for", where, fix)
        elif not (room in names and room not in rooms) and _is_whole(path) and on_disk(path) not in declared:
            fix = f"declare it: inputs=[{path!r}] of {step.name!r}"
            yield Problem(f"it fetches {path!r}, which the step does not declare", where, fix)


def _is_whole(path: str) -> bool:
    """Whether a fetch's path tells the file, and not the room alone."""
    return "/" in path and not path.endswith("/")


def column_problems(pipeline: Pipeline, step: Step, script: Script, sheet: SampleSheet) -> Iterator[Problem]:
    """A problem for each column of the sheet that a program reads, by its variable, and the step does not declare."""
    columns: Mapping[str, str] = {variable(column): column for column in sheet.columns[1:]}
    for name in sorted(script.variables & set(columns)):
        if columns[name] not in step.used_columns:
            yield Problem(
                f"it reads SAMPLE_{name}, and the step does not declare the column {columns[name]!r}",
                f"{script.name}, step {step.name!r} of pipeline {pipeline.name!r}",
                f"declare it: columns=[{columns[name]!r}] of {step.name!r}",
            )
