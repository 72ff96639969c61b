"""What fetch_and_run itself refuses, each with an exit code of its own.

Source: sysexits.h for 64 to 78, the shell's conventions for 126 and 127.
"""


class FetchError(Exception):
    """One line says what is wrong; the exit code says of what kind it is."""

    exit_code = 1


class UsageError(FetchError):
    """A variable or argument is missing or malformed (EX_USAGE)."""

    exit_code = 64


class UnsafeZipError(FetchError):
    """The file is no zip, or one of its members would leave the folder (EX_DATAERR)."""

    exit_code = 65


class MissingObjectError(FetchError):
    """There is no such bucket or object (EX_NOINPUT)."""

    exit_code = 66


class UnreachableError(FetchError):
    """S3 did not answer, after all retries (EX_UNAVAILABLE)."""

    exit_code = 69


class ChecksumError(FetchError):
    """What S3 gave is not what BATCH_FILE_SHA256 names (EX_PROTOCOL)."""

    exit_code = 76


class DeniedError(FetchError):
    """S3 refused the credentials (EX_NOPERM)."""

    exit_code = 77


class NotExecutableError(FetchError):
    """The program is there but cannot be started."""

    exit_code = 126


class NoEntryError(FetchError):
    """The zip holds no such program."""

    exit_code = 127
