"""A supervisor that owns the folder, and one forked process that fetches the program and becomes it.

One fork (1.5 ms) in place of a second Python start: a Python program finds obstore imported, any other program
replaces the process. The supervisor forwards signals to the program's process group, outlives it, removes the
folder with all that was left in it, and exits as the program did.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """The program ran and its folder is gone; returns its exit code, 128 + n when signal n ended it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # none may fall between the fork and the handlers
    folder = Path(tempfile.mkdtemp(prefix="fetch_and_run."))
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        return _become(folder, arguments)
    try:
        return _watch(child)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _become(folder: Path, arguments: Sequence[str]) -> int:
    from fetch_and_run.errors import FetchError
    from fetch_and_run.fetch import fetch
    from fetch_and_run.launch import launch

    try:
        program, rest = fetch(folder, arguments)
        launch(program, rest, folder)
    except FetchError as error:
        print(f"fetch_and_run: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _watch(child: int) -> int:
    _own_group(child)
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: os.killpg(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # nobody is left to forward to
    os.killpg(child, signal.SIGKILL)  # what the program left running would write into the folder
    exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return exit_code if exit_code >= 0 else 128 - exit_code


def _own_group(child: int) -> None:
    """Both sides ask for the group, so that it is there whichever runs first."""
    with contextlib.suppress(PermissionError, ProcessLookupError):  # it has become its program, or ended
        os.setpgid(child, child)
