"""drive: run a Python script over the library, and see to it that it comes to `main(step)`.

    steps/library/drive.py SCRIPT ARGUMENTS…      SCRIPT is a path inside the zip

`main` never returns, so a script that comes to its end has forgotten it. Its exit code 0 would pass for success.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from fetch_and_run.launch import words_to_run
from steps.library.failure import USAGE, Failure
from steps.library.main import exit_code_of, fail, leave
from steps.library.tool import NOT_EXECUTABLE

CODE = Path(__file__).resolve().parents[2]
HERE = "--here"  # said by this program to itself, in the interpreter that the script asks for
FORGOTTEN = (
    "the script ended without calling main(step): "
    'its last lines are to be: if __name__ == "__main__": main(…)'
)


def drive(script: Path, arguments: Sequence[str]) -> NoReturn:
    """The script ran and came to `main`, which ended the process; or why it did not is recorded, and it is over."""
    try:
        run(script, arguments)
    except SystemExit as end:
        leave(fail(_ended(end)))
    except Exception as error:  # noqa: BLE001 (the top of the process: what is unforeseen is recorded too)
        leave(fail(error))
    leave(fail(Failure(FORGOTTEN, USAGE)))


def run(script: Path, arguments: Sequence[str]) -> None:
    """The script ran to its end as `__main__`, and found modules beside itself and in the code."""
    sys.argv = [str(script), *arguments]
    sys.path[:1] = [str(script.parent), str(CODE)]
    runpy.run_path(str(script), run_name="__main__")


def _ended(end: SystemExit) -> Failure:
    exit_code, told = exit_code_of(end)
    if not exit_code:
        return Failure(FORGOTTEN, USAGE)
    return Failure(f"the script ended itself with exit code {told} without calling main(step)", exit_code)


def interpreter(script: Path) -> list[str]:
    """The words of the script's own #! line, as Linux reads it: one, and the rest as another.

    None where this very interpreter is meant.
    """
    if words_to_run(script) != [str(script)]:
        return []
    with script.open("rb") as stream:
        line = stream.readline().decode(errors="replace")
    return line.removeprefix("#!").strip().split(maxsplit=1)


def main(words: Sequence[str]) -> NoReturn:
    """The script of these words ran, in the interpreter that it asks for."""
    is_here = words[0] == HERE
    name, *arguments = words[1:] if is_here else words
    script = CODE / name
    asked_for = [] if is_here else interpreter(script)
    if asked_for:
        _become([*asked_for, __file__, HERE, name, *arguments])
    drive(script, arguments)


def _become(words: list[str]) -> NoReturn:
    """This process is that command; or why it cannot be is recorded, and it is over."""
    try:
        os.execv(words[0], words)
    except OSError as error:
        told = f"the script asks for {words[0]!r}, which cannot be started: {error.strerror}"
        leave(fail(Failure(told, NOT_EXECUTABLE)))


if __name__ == "__main__":
    main(sys.argv[1:])
