"""The program of BATCH_FILE_S3_URL is on disk, verified and unpacked."""

import hashlib
import os
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import obstore.exceptions as refused

from fetch_and_run import s3
from fetch_and_run.errors import (
    ChecksumError,
    DeniedError,
    MissingObjectError,
    NoEntryError,
    UnreachableError,
    UnsafeZipError,
    UsageError,
)


def fetch(folder: Path, arguments: Sequence[str]) -> tuple[Path, Sequence[str]]:
    """The program is under folder/code; returns its path and the arguments that are its own."""
    kind, url = _variable("BATCH_FILE_TYPE"), _variable("BATCH_FILE_S3_URL")
    if kind not in ("script", "zip"):
        raise UsageError(f"BATCH_FILE_TYPE is {kind!r}; it must be script or zip")
    if kind == "zip" and not arguments:
        raise UsageError("the first argument must name the program inside the zip")
    code = folder / "code"
    code.mkdir()
    target = code / PurePosixPath(url).name if kind == "script" else folder / "code.zip"
    _download(url, target)
    _verify(url, target)
    if kind == "script":
        return target, arguments
    _unpack(target, code)
    return _entry(code, arguments[0]), arguments[1:]


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise UsageError(f"the environment variable {name} is not set")
    return os.environ[name]


def _download(url: str, target: Path) -> None:
    try:
        s3.download(url, target)
    except s3.NotAnUrlError as error:
        raise UsageError(f"BATCH_FILE_S3_URL: {error}") from error
    except FileNotFoundError as error:
        raise MissingObjectError(f"{url} does not exist") from error
    except (refused.PermissionDeniedError, refused.UnauthenticatedError) as error:
        raise DeniedError(f"S3 refuses {url}: {s3.first_line(error)}") from error
    except refused.BaseError as error:
        raise UnreachableError(f"S3 does not give {url}: {s3.first_line(error)}") from error


def _verify(url: str, file: Path) -> None:
    expected = os.environ.get("BATCH_FILE_SHA256", "").lower()
    if not expected:
        return
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ChecksumError(f"{url} has SHA-256 {found}; BATCH_FILE_SHA256 is {expected}")


def _unpack(archive: Path, code: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as members:
            for member in members.infolist():
                _refuse_if_unsafe(member)
            for member in members.infolist():
                unpacked = Path(members.extract(member, code))
                if member.external_attr >> 16 & stat.S_IXUSR:
                    unpacked.chmod(0o755)
    except zipfile.BadZipFile as error:
        raise UnsafeZipError(f"the file is not a whole zip: {error}") from error
    archive.unlink()


def _refuse_if_unsafe(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise UnsafeZipError(f"the zip's member {member.filename!r} would leave the folder")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeZipError(f"the zip's member {member.filename!r} is neither a file nor a folder")


def _entry(code: Path, name: str) -> Path:
    entry = code / name
    if not entry.resolve().is_relative_to(code.resolve()) or not entry.is_file():
        raise NoEntryError(f"the zip holds no file {name!r}")
    return entry
