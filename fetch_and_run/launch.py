"""This process becomes the program: any executable with a #! line, or Python without one."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from fetch_and_run.errors import NotExecutableError

OWN_FOLDER = Path(__file__).resolve().parent.parent
ANY_PYTHON = {b"", b"#!/usr/bin/env python", b"#!/usr/bin/env python3", b"#!/usr/bin/python3"}


def launch(program: Path, arguments: Sequence[str], folder: Path) -> None:
    """The program runs with `arguments`; returns only when it was Python and came to its end.

    Its PYTHONPATH is the folder of the code and the folder that holds fetch_and_run; its TMPDIR is inside `folder`,
    so that what it leaves there goes with it.
    """
    temporary = folder / "tmp"
    temporary.mkdir()
    path = [str(folder / "code"), str(OWN_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ.update(PYTHONPATH=os.pathsep.join(path), TMPDIR=str(temporary))
    if _is_python(program):
        _run_here(program, arguments, path)
    else:
        _execute(program, arguments)


def words_to_run(program: Path) -> list[str]:
    """The first words of a command that runs the program, which is executable afterwards."""
    program.chmod(0o755)
    return [sys.executable, str(program)] if _is_python(program) else [str(program)]


def _is_python(program: Path) -> bool:
    return program.suffix == ".py" and _shebang(program) in ANY_PYTHON


def _shebang(program: Path) -> bytes:
    with program.open("rb") as stream:
        line = stream.readline(256).strip()
    return line if line.startswith(b"#!") else b""


def _run_here(program: Path, arguments: Sequence[str], path: Sequence[str]) -> None:
    """In this very interpreter: a second one would cost its start and every import again."""
    import runpy
    import tempfile

    tempfile.tempdir = None  # it was read before TMPDIR was set
    sys.dont_write_bytecode = True  # the folder is thrown away
    sys.argv = [str(program), *arguments]
    sys.path[:0] = [str(program.parent), *path]
    runpy.run_path(str(program), run_name="__main__")


def _execute(program: Path, arguments: Sequence[str]) -> None:
    words = [*words_to_run(program), *arguments]
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an ignored signal stays so
    try:
        os.execv(words[0], words)
    except FileNotFoundError as error:
        missing = _shebang(program).decode(errors="replace")
        raise NotExecutableError(
            f"{program.name} asks for {missing!r}, which is not installed here"
        ) from error
    except OSError as error:
        raise NotExecutableError(
            f"{program.name} cannot be started ({error.strerror}): its first line must be #! and an interpreter"
        ) from error
