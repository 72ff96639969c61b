"""The pinned sample sheet, of which a child reads what it is about and a step sees what it declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fetch_and_run import s3
from steps.library.contract import ROWS_A_CHUNK, Job, chunk_name
from steps.library.failure import DataError

Row = dict[str, str]  # a sample's cells by column, `sample` among them


@dataclass(frozen=True)
class Sheet:
    """Tab-separated lines: the first column is the sample, the others are the user's."""

    header: Sequence[str]
    lines: Sequence[str]

    @classmethod
    def read(cls, url: str) -> Sheet:
        """The sheet at that URL. Raises: DataError."""
        try:
            header, *lines = s3.read(url).decode().removesuffix("\n").split("\n")
        except FileNotFoundError as error:
            raise DataError(f"the run's pinned sample sheet is gone: {url}: start another run") from error
        return cls(header.split("\t"), lines)

    @classmethod
    def of(cls, job: Job) -> Sheet:
        """What the child is about: its own row, every row, or none beside a reference. Raises: DataError."""
        if job.scope == "reference":
            return cls(["sample"], [])
        if job.scope == "run":
            return cls.read(job.rows)
        chunk = cls.read(f"{job.rows}/{chunk_name(job.row // ROWS_A_CHUNK)}")
        return chunk.one(job.row % ROWS_A_CHUNK)

    def one(self, index: int) -> Sheet:
        """That row alone. Raises: DataError."""
        if index >= len(self.lines):
            raise DataError(f"the sample sheet has {len(self.lines)} rows; this child is row {index}")
        return Sheet(self.header, [self.lines[index]])

    def rows(self) -> list[Row]:
        """Every sample's columns, in the sheet's order. Raises: DataError."""
        rows = [dict(zip(self.header, line.split("\t"), strict=True)) for line in self.lines]
        for row in rows:
            check_name(row["sample"])
        return rows

    def sample(self, job: Job) -> str | None:
        """The sample that the child is about; None where it is about all of them. Raises: DataError."""
        return self.rows()[0]["sample"] if job.scope == "sample" else None

    def only(self, columns: Sequence[str]) -> Sheet:
        """The sheet of the sample and these columns. Raises: DataError naming those that it does not have."""
        kept = list(dict.fromkeys(["sample", *columns]))
        absent = [column for column in kept if column not in self.header]
        if absent:
            raise DataError(f"the sheet has no column {_quoted(absent)}: it has {_quoted(self.header)}")
        places = [self.header.index(column) for column in kept]
        cells = (line.split("\t") for line in self.lines)
        return Sheet(kept, ["\t".join(line[place] for place in places) for line in cells])

    def write(self, path: Path) -> None:
        """The sheet is at `path`, with its header."""
        path.write_text("\n".join(["\t".join(self.header), *self.lines, ""]))


class Columns(dict[str, str]):
    """The sample and its declared columns by name; of any other, the reason why it is not there."""

    def __init__(self, declared: Row, header: Sequence[str]) -> None:
        super().__init__(declared)
        self.header = header

    def __missing__(self, column: str) -> str:
        if not self:
            raise DataError(
                f"{column!r}: this step has no row of its own; child.sheet.rows() gives every sample's"
            )
        if column in self.header:
            raise DataError(f"the column {column!r} is not declared: give the step columns=[{column!r}]")
        raise DataError(f"the sheet has no column {column!r}: it has {_quoted(self.header)}")


def check_name(sample: str) -> None:
    """The sample's name is one folder's name and nothing else. Raises: DataError."""
    if sample in ("", ".", "..") or "/" in sample or "\0" in sample:
        raise DataError(f"{sample!r} is no sample name: it would leave its folder")


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns))
