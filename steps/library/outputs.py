"""What may be published: a file below the working folder, there, and not too small."""

from pathlib import Path, PurePosixPath

from steps.library.contract import parse_marker
from steps.library.failure import USAGE, DataError, Failure


def check_output(file: str, at_least: int) -> None:
    """The file may be published. Raises: Failure for its name, DataError when it is missing or too small."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or str(path) != file or file == ".":
        raise Failure(
            f"{file!r} cannot be published: name a file below the working folder, as a/b.txt", USAGE
        )
    if parse_marker(path.name):
        raise Failure(f"{file!r} cannot be published: that is a marker's name; give the file another", USAGE)
    if not Path(file).is_file():
        raise DataError(f"{file} was not made")
    if Path(file).stat().st_size < at_least:
        raise DataError(f"{file} has {Path(file).stat().st_size} bytes, fewer than {at_least}")
