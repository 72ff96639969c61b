"""The pipeline that a user's file defines."""

from __future__ import annotations

import runpy
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.errors import InputError, Problem
from pipeline.model.pipeline import Pipeline


def load_pipeline(file: Path) -> Pipeline:
    """The `pipeline` of a Python file; its scripts are beside it. Raises: InputError."""
    if not file.is_file():
        raise InputError(
            Problem(f"there is no file {str(file)!r}", "--pipeline", "give the path of a pipeline file")
        )
    try:
        with _neighbours_found(file):
            found = runpy.run_path(str(file)).get("pipeline")
    except PipelineFileError as error:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise InputError(Problem(what, _place(error, file), "mend the pipeline file")) from error
    if not isinstance(found, Pipeline):
        raise InputError(
            Problem("it defines no `pipeline`", str(file), "write: pipeline = Pipeline('name', [Step(…), …])")
        )
    return found if found.folder != Path() else replace(found, folder=file.parent)


@contextmanager
def _neighbours_found(file: Path) -> Iterator[None]:
    """Modules beside the file can be imported, as when Python runs it."""
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _place(error: BaseException, file: Path) -> str:
    """Where it went wrong: the last line that ran of the file, or of a module beside it, if any of them ran.

    What does not parse has no line that ran, and a text with a NUL in it not even one that is wrong.
    """
    if isinstance(error, SyntaxError) and error.lineno and _is_beside(error.filename, file):
        return f"{error.filename}, line {error.lineno}"
    lines = traceback.extract_tb(error.__traceback__)
    ran = [line for line in lines if line.filename != __file__ and _is_beside(line.filename, file)]
    return f"{ran[-1].filename}, line {ran[-1].lineno}" if ran else str(file)


def _is_beside(name: str | None, file: Path) -> bool:
    """Whether it is a file of the pipeline file's own folder, or below, that nobody installed there."""
    path = Path(name or "").resolve()
    return path.is_relative_to(file.resolve().parent) and path.is_file() and "site-packages" not in path.parts


PipelineFileError = (
    ImportError,
    SyntaxError,
    NameError,
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    OSError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    SystemExit,
    subprocess.SubprocessError,
)
