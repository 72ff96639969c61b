"""A BAM that was cut is found by its last 28 bytes, before anything is spent on it."""

from steps import Child, DataError

# The empty BGZF block that ends a whole BAM: SAM/BAM specification, section 4.1.2.
END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def check_end(child: Child, path: str) -> None:
    """The BAM ends as a whole one does. Raises: DataError."""
    if child.read_tail(path, len(END_OF_FILE)) != END_OF_FILE:
        raise DataError(f"{child.name(path)} is truncated: its last 28 bytes are not a BAM EOF block")
