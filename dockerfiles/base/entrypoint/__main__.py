"""`python -m entrypoint …`, the images' ENTRYPOINT."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from fetch_and_run import supervise

REFUSED = 64  # EX_USAGE of sysexits.h: what the job asks for cannot be had


def main(arguments: Sequence[str]) -> int:
    """fetch_and_run has run as the job asks; returns its exit code. Nothing is imported that the job does not use."""
    if not os.environ.get("MOUNT_INPUT") and not os.environ.get("MOUNT_OUTPUT"):
        return supervise.main(_as_sample(arguments))
    from entrypoint.mount import MountError, mounted, wanted

    with ExitStack() as mounts:
        try:
            for mount in wanted(os.environ):
                mounts.enter_context(mounted(mount))
        except MountError as error:
            print(f"entrypoint: {error}", file=sys.stderr)
            return REFUSED
        return _in_between(_as_sample(arguments))


def _as_sample(arguments: Sequence[str]) -> Sequence[str]:
    if arguments[:1] != ["--participants"]:
        return arguments
    from entrypoint.participants import ParticipantsError, sample_of_this_child

    try:
        os.environ["SAMPLE"] = sample = sample_of_this_child(arguments[1], os.environ)
    except ParticipantsError as error:
        print(f"entrypoint: {error}", file=sys.stderr)
        raise SystemExit(REFUSED) from error
    return [word.replace("{sample}", sample) for word in arguments[2:]]


def _in_between(arguments: Sequence[str]) -> int:
    """fetch_and_run in a process of its own, so that this one is left to unmount."""
    process = subprocess.Popen([sys.executable, "-m", "fetch_and_run", *arguments])
    for number in supervise.FORWARDED:
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
