"""A tool runs with its own words as arguments, its output in the job's log, and its end told in a sentence."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from steps.failure import ToolError

if TYPE_CHECKING:
    import sh

LAST_LINES = 20
NOT_EXECUTABLE, NOT_INSTALLED = 126, 127  # as a shell has them
KILLED = 128 + 9
GRACE_S = 5  # between SIGTERM and SIGKILL; Batch itself gives 30
OPTIONS: dict[str, Any] = {
    "_bg": True,  # so that a signal finds the tool
    "_bg_exc": False,
    "_tty_out": False,
    "_no_out": True,  # nothing of the output stays in memory
    "_no_err": True,
    "_decode_errors": "replace",
}


class Transcript:
    """Every line of a tool goes to the job's log, to a file of its own, and the last are kept."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.last: deque[str] = deque(maxlen=LAST_LINES)

    def __call__(self, line: str) -> None:
        """Called by sh with each line of the tool's stdout and stderr."""
        sys.stderr.write(line)
        self.file.write(line)
        if line.strip() and not line.startswith(
            "\tat "
        ):  # the frames of Java's stack say less than its exception
            self.last.append(line.strip())


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
            _wait(command(*arguments, **{**OPTIONS, **said, **options}))
        except sh.CommandNotFound as error:
            raise ToolError(f"{program} is not installed in this image", NOT_INSTALLED) from error
        except sh.ForkException as error:
            raise ToolError(
                f"{Path(program).name} cannot be started: has it a #! line?", NOT_EXECUTABLE
            ) from error
        except sh.ErrorReturnCode as error:
            raise _told(program, error.exit_code, transcript) from error


def _wait(process: sh.RunningCommand) -> None:
    """The tool has ended, also when this child is stopped: nothing may write into a scratch folder being removed."""
    import sh

    try:
        process.wait()
    except sh.ErrorReturnCode:
        raise
    except BaseException:
        process.terminate()
        with contextlib.suppress(sh.ErrorReturnCode):
            try:
                process.wait(timeout=GRACE_S)
            except sh.TimeoutException:
                process.kill()
        raise


def _told(program: str, exit_code: int, transcript: Transcript) -> ToolError:
    if exit_code < 0:
        exit_code = 128 - exit_code
    name = Path(program).name
    if exit_code == KILLED:
        return ToolError(f"{name} was killed by signal 9, most likely for want of memory", exit_code)
    if exit_code > 128:
        return ToolError(f"{name} was ended by signal {exit_code - 128}", exit_code)
    said = f": {transcript.last[-1]}" if transcript.last else " and said nothing"
    return ToolError(f"{name} exited with {exit_code}{said}", exit_code)
