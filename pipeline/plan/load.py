"""The pipeline that a user's file defines."""

from __future__ import annotations

import runpy
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
        raise InputError(
            Problem(f"{type(error).__name__}: {error}", _place(error), "mend the pipeline file")
        ) from error
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


def _place(error: Exception) -> str:
    """Where it went wrong: what does not parse has no line that ran."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}, line {last.lineno}"


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
)
