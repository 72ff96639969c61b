"""The batch-side code of a run: each file read once, packed, and told apart by step for the fingerprints."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError, Problem
from pipeline.model.pipeline import Pipeline, Step
from pipeline.plan.scripts import Script, read_script

ROOT = Path(__file__).parent.parent.parent
LIBRARY = "steps"
COMMAND_RUNNER = f"{LIBRARY}/library/command.py"  # runs any program over the inputs that are declared
LIBRARY_RUNNER = (
    f"{LIBRARY}/library/drive.py"  # runs a script over the library, and sees that it came to its main
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True)
class StepCode:
    """What runs of one step: the words of its command, its script, and a zip of the library and all that it stands on.

    What is not in the zip cannot be used, so nothing that the fingerprint leaves out can change a result.
    """

    command: tuple[str, ...]
    script: Script
    digests: Mapping[str, str]  # path in the zip ↔ SHA-256; the library is not among them
    body: bytes = b""
    sha256: str = ""


@dataclass(frozen=True)
class Code:
    """The code of each step; the same files give the same bytes."""

    steps: Mapping[str, StepCode]

    @property
    def zips(self) -> dict[str, bytes]:
        """Each zip by its SHA-256."""
        return {step.sha256: step.body for step in self.steps.values()}


class _Files:
    """The pipeline's files as they were when they were first looked at: what is packed is what was judged."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._folder = pipeline.folder
        self.read: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """The file's bytes; None where there is no such file in the folder."""
        if name not in self.read:
            path = self._folder / name
            if not path.is_file() or not path.resolve().is_relative_to(self._folder.resolve()):
                return None
            self.read[name] = path.read_bytes()
        return self.read[name]


def pack(pipeline: Pipeline) -> Code:
    """A zip a step: the library, its script, what that imports from the pipeline's folder, and the pipeline's files.

    Raises: InputError with every file that is absent, is outside the folder, or hides one of the library's.
    """
    library = _library()
    files = _Files(pipeline)
    problems = [
        _problem(pipeline, step, f"its file {name!r} is not in {pipeline.folder}, or leads out of it")
        for step in pipeline.steps
        for name in (step.script, *pipeline.files)
        if files.get(name) is None
    ]
    if problems:
        raise InputError(problems)
    steps = {}
    for step in pipeline.steps:
        try:
            steps[step.name] = _step_code(step, pipeline, files, library)
        except SyntaxError as error:
            where = f"{error.filename}, line {error.lineno}"
            problems.append(Problem(f"the script is no Python: {error.msg}", where, "mend the script"))
    hidden = [name for name, body in files.read.items() if library.get(name, body) != body]
    problems += [
        Problem(
            f"the file {name!r} has the name of one in the steps library",
            str(pipeline.folder / name),
            "rename it, or put it into a folder that is not called steps",
        )
        for name in hidden
    ]
    if problems:
        raise InputError(problems)
    return Code(steps)


def _problem(pipeline: Pipeline, step: Step, what: str) -> Problem:
    return Problem(
        what, f"step {step.name!r} of pipeline {pipeline.name!r}", "change it in the pipeline's file"
    )


def _library() -> dict[str, bytes]:
    folder = ROOT / LIBRARY
    paths = [folder / "__init__.py", *sorted((folder / "library").glob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def _step_code(step: Step, pipeline: Pipeline, files: _Files, library: Mapping[str, bytes]) -> StepCode:
    body = files.read[step.script]
    script = read_script(step.script, body)
    runner = LIBRARY_RUNNER if script.drives_its_child else COMMAND_RUNNER
    stands_on = dict.fromkeys([step.script, *pipeline.files, *_imported(script, files, library)])
    digests = {name: hashlib.sha256(files.read[name]).hexdigest() for name in sorted(stands_on)}
    zipped = _zip({**library, **{name: files.read[name] for name in stands_on}})
    return StepCode((runner, step.script), script, digests, zipped, hashlib.sha256(zipped).hexdigest())


def _imported(script: Script, files: _Files, library: Mapping[str, bytes]) -> Iterator[str]:
    """The files of the pipeline's folder that a script imports, and those that they import."""
    seen, scripts = {script.name}, [script]
    while scripts:
        current = scripts.pop()
        for name in _candidates(current, PurePosixPath(script.name).parent):
            if name not in seen and name not in library and (body := files.get(name)) is not None:
                seen.add(name)
                scripts.append(read_script(name, body))
                yield name


def _candidates(script: Script, entry: PurePosixPath) -> Iterator[str]:
    """Where each imported module would be, as Python would look for it: beside the entry script, then in the folder."""
    own = PurePosixPath(script.name).parent
    for level, dotted in script.imports:
        roots = [entry, PurePosixPath()]
        if level:
            roots = [own, *own.parents][level - 1 : level]  # none above the folder
        parts = [part for part in dotted.split(".") if part]
        for root in roots:
            for length in range(1, len(parts) + 1):
                module = root.joinpath(*parts[:length])
                yield from (f"{module}.py", f"{module}/__init__.py")


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body)
    return buffer.getvalue()
