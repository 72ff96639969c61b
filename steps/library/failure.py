"""Why a child failed, in one human sentence, and the exit code that says whether a retry may help."""

USAGE = 64  # EX_USAGE of sysexits.h: the step's script and its declaration do not fit each other
DATA_ERROR = 65  # EX_DATAERR
S3_UNAVAILABLE = 69  # EX_UNAVAILABLE
CHANGED = 75  # EX_TEMPFAIL: another attempt finds what is there by then


class Failure(Exception):  # noqa: N818 (the sentence is the point; a step raises one of the two below)
    """A child cannot succeed: `reason` is a sentence, `exit_code` what the process ends with."""

    def __init__(self, reason: str, exit_code: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code


class DataError(Failure):
    """The data are wrong: exit code 65, for a retry would find the same data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, DATA_ERROR)


class ToolError(Failure):
    """The tool failed: its own exit code, or 128 + n when signal n ended it."""
