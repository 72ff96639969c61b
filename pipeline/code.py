"""The batch-side code of a run, as one deterministic zip."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError, Problem

if TYPE_CHECKING:
    from pipeline.model import Pipeline, Step

ROOT = Path(__file__).parent.parent
LIBRARY = "steps"
COMMAND_RUNNER = f"{LIBRARY}/command.py"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True)
class Code:
    """A zip of the steps library and a pipeline's scripts; the same files give the same bytes."""

    body: bytes
    sha256: str


def pack(pipeline: Pipeline) -> Code:
    """The library and the pipeline's own files in one zip, each executable, sorted, without times.

    Raises: InputError when a pipeline's file would hide one of the library's.
    """
    files = {f"{LIBRARY}/{path.name}": path.read_bytes() for path in (ROOT / LIBRARY).glob("*.py")}
    for name in [*(step.script for step in pipeline.steps), *pipeline.files]:
        body = (pipeline.folder / name).read_bytes()
        if files.setdefault(name, body) != body:
            raise InputError(
                Problem(
                    f"the file {name!r} has the name of one in the steps library",
                    str(pipeline.folder / name),
                    "rename it, or put it into a folder that is not called steps",
                )
            )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body)
    return Code(buffer.getvalue(), hashlib.sha256(buffer.getvalue()).hexdigest())


def command(pipeline: Pipeline, step: Step) -> list[str]:
    """The words that run a step inside the zip: its script, or the library's runner with the script."""
    if _drives_its_child(pipeline.folder / step.script):
        return [step.script]
    return [COMMAND_RUNNER, step.script]


def _drives_its_child(script: Path) -> bool:
    """Whether a Python script imports the steps library; if so, it fetches, checks and publishes by itself."""
    if script.suffix != ".py":
        return False
    nodes = ast.walk(ast.parse(script.read_bytes(), str(script)))
    names = [
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    return any(name.split(".")[0] == LIBRARY for name in names)


def fingerprint(pipeline: Pipeline, step: Step) -> str:
    """What a result depends on beside its inputs: the script, the pipeline's files, the image, the parameters.

    The steps library is left out: a newer version of this program does not make old results wrong.
    """
    parts = {
        "script": _sha256(pipeline.folder / step.script),
        "files": {name: _sha256(pipeline.folder / name) for name in sorted(pipeline.files)},
        "image": step.image,
        "parameters": dict(step.parameters),
        "inputs": list(step.inputs),
        "outputs": list(step.outputs),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
