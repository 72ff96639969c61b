"""A tool runs with its own words as arguments, its output in the job's log, and its end told in a sentence."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, TextIO

from steps.library.failure import ToolError

NOT_EXECUTABLE, NOT_INSTALLED = 126, 127  # as a shell has them
KILLED = 128 + 9
OPTIONS: dict[str, Any] = {
    "_tty_out": False,
    "_no_out": True,  # nothing of the output stays in memory
    "_no_err": True,
    "_decode_errors": "replace",
}


class Transcript:
    """Every line of a tool goes to the job's log and to a file of its own; the last that says something is kept."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.last_words = ""

    def __call__(self, line: str) -> None:
        """Called by sh with each line of the tool's stdout and stderr."""
        sys.stderr.write(line)
        self.file.write(line)
        frame_of_java = line.startswith("\tat ")  # says less than the exception above it
        if line.strip() and not frame_of_java:
            self.last_words = line.strip()


def run(program: str, *arguments: str | Path | int, log: str | None = None, **options: Any) -> None:
    """The tool ended with exit code 0. Options are sh's: threads=2 is --threads=2, _out="file" keeps its stdout.

    Raises: ToolError.
    """
    import sh  # late: it takes longer than all the rest, and a child with nothing to do needs none of it

    with Path(log or os.devnull).open("w") as file, Path(os.devnull).open() as nothing:
        transcript = Transcript(file)
        try:
            command = sh.Command(program)
            said = {"_in": nothing, "_out": transcript, "_err": transcript}
            command(*arguments, **{**OPTIONS, **said, **options})
        except sh.CommandNotFound as error:
            raise ToolError(f"{program} is not installed in this image", NOT_INSTALLED) from error
        except sh.ForkException as error:
            raise ToolError(
                f"{Path(program).name} cannot be started: has it a #! line?", NOT_EXECUTABLE
            ) from error
        except sh.ErrorReturnCode as error:
            raise _told(program, error.exit_code, transcript) from error


def _told(program: str, exit_code: int, transcript: Transcript) -> ToolError:
    if exit_code < 0:
        exit_code = 128 - exit_code
    name = Path(program).name
    if exit_code == KILLED:
        return ToolError(f"{name} was killed by signal 9, most likely for want of memory", exit_code)
    if exit_code > 128:
        return ToolError(f"{name} was ended by signal {exit_code - 128}", exit_code)
    said = f": {transcript.last_words}" if transcript.last_words else " and said nothing"
    return ToolError(f"{name} exited with {exit_code}{said}", exit_code)
