"""What a child may fetch: what was pinned before it started, in the very state in which it was pinned."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fetch_and_run import s3
from steps.library.contract import Files, Found, Input, Job, fill, on_disk
from steps.library.failure import CHANGED, USAGE, DataError, Failure
from steps.library.pin import Pinned, undeclared
from steps.library.sheet import Row
from steps.library.threads import side_by_side
from steps.library.upstream import some_of


@dataclass(frozen=True)
class Inputs:
    """The inputs of one child by their names on disk; `rows` are those of the sheet that it is about."""

    job: Job
    rows: Sequence[Row]
    pinned: Pinned

    def found(self) -> Files:
        """What a marker's digest is made of."""
        return {name: Found(stored.etag, stored.size) for name, stored in self.pinned.items()}

    def has(self, path: str) -> bool:
        """The input is there; one that is declared optional may not be."""
        return self._name(path) in self.pinned

    def called(self, path: str) -> str:
        """The input as messages call it, with the sample's name in it."""
        return fill(path, self.rows[0]) if self.job.scope == "sample" else path

    def fetch(self, path: str) -> Path:
        """The input is on disk. Raises: DataError when it is absent, Failure when it is undeclared or was replaced."""
        local = Path(on_disk(path))
        download(self._pinned(path), local, self.called(path))
        return local

    def read_tail(self, path: str, length: int) -> bytes:
        """The input's last bytes. Raises: as fetch."""
        with unchanged(self.called(path)):
            return s3.read_tail(self._pinned(path), length)

    def fetch_all(self, path: str) -> dict[str, Path]:
        """The file of every sample is on disk, by sample. Raises: as fetch; samples may lack an optional one."""
        room, _, name = path.partition("/")
        files = {row["sample"]: f"{room}/{row['sample']}/{on_disk(name)}" for row in self.rows}
        lacking = [sample for sample, file in files.items() if file not in self.pinned]
        declared = self._declared(path)
        if lacking and not (declared and declared.is_optional):
            raise self._refused(path, some_of(lacking, len(files), path))
        there = {sample: file for sample, file in files.items() if file in self.pinned}
        done = side_by_side(lambda file: download(self.pinned[file], Path(file), file), there.values())
        return dict(zip(there, done, strict=True))

    def _pinned(self, path: str) -> s3.Stored:
        name = self._name(path)
        if name not in self.pinned:
            raise self._refused(path, f"{self.called(path)} does not exist")
        return self.pinned[name]

    def _name(self, path: str) -> str:
        """The name on disk; a file of a step of which none is declared goes by the name that it was given there."""
        return self.called(path) if path.partition("/")[0] in undeclared(self.job) else on_disk(path)

    def _declared(self, path: str) -> Input | None:
        return next((one for one in self.job.inputs if on_disk(one.path) == on_disk(path)), None)

    def _refused(self, path: str, absent: str) -> Failure:
        """Why there is no such input: it is absent, or the step never said that it wants it."""
        if self._declared(path) or path.partition("/")[0] in undeclared(self.job):
            return DataError(absent)
        told = f"step {self.job.step!r} fetches {path!r}, which it does not declare"
        return Failure(f"{told}: add it to inputs=[…] (or name the step in after=[…])", USAGE)


def download(pinned: s3.Stored, local: Path, called: str) -> Path:
    """The pinned object is on disk. Raises: Failure when it is another one by now."""
    local.parent.mkdir(parents=True, exist_ok=True)
    with unchanged(called):
        s3.download_unchanged(pinned, local)
    return local


@contextlib.contextmanager
def unchanged(called: str) -> Iterator[None]:
    """What is read inside is what was pinned. Raises: Failure that another attempt may help."""
    try:
        yield
    except s3.ChangedError as error:
        raise Failure(f"{called} was changed while this child was running: run again", CHANGED) from error
