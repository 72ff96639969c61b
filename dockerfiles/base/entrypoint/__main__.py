"""`python -m entrypoint …`, the images' ENTRYPOINT."""

import os
import sys
from collections.abc import Sequence

from fetch_and_run import supervise

REFUSED = 64  # EX_USAGE of sysexits.h: what the job asks for cannot be had


def main(arguments: Sequence[str]) -> int:
    """fetch_and_run has run as the job asks; returns its exit code. Nothing is imported that the job does not use."""
    if not os.environ.get("MOUNT_INPUT") and not os.environ.get("MOUNT_OUTPUT"):
        return supervise.main(_as_sample(arguments))
    from entrypoint.mount import MountError, all_mounted, fetch_and_run

    try:
        with all_mounted(os.environ):
            return fetch_and_run(_as_sample(arguments))
    except MountError as error:
        print(f"entrypoint: {error}", file=sys.stderr)
        return REFUSED


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
