"""The pinned sample sheet: a header, then row i of it is child i."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fetch_and_run import s3
from steps.failure import DataError


@dataclass(frozen=True)
class Sheet:
    """Tab-separated lines: the first column is the sample, the others are the user's."""

    header: list[str]
    lines: list[str]

    @classmethod
    def read(cls, url: str) -> Sheet:
        """The sheet at that URL."""
        header, *lines = s3.read(url).decode().removesuffix("\n").split("\n")
        return cls(header.split("\t"), lines)

    def row(self, index: int) -> dict[str, str]:
        """The columns of one sample by their names. Raises: DataError."""
        if index >= len(self.lines):
            raise DataError(f"the sample sheet has {len(self.lines)} rows; this child is row {index}")
        row = dict(zip(self.header, self.lines[index].split("\t"), strict=True))
        check_name(row["sample"])
        return row

    def rows(self) -> list[dict[str, str]]:
        """Every sample's columns, in the sheet's order. Raises: DataError."""
        return [self.row(index) for index in range(len(self.lines))]

    def write(self, path: Path) -> None:
        """The sheet is at `path`, as it was pinned."""
        path.write_text("\n".join(["\t".join(self.header), *self.lines, ""]))


def check_name(sample: str) -> None:
    """The sample's name is one folder's name and nothing else. Raises: DataError."""
    if sample in ("", ".", "..") or "/" in sample or "\0" in sample:
        raise DataError(f"{sample!r} is no sample name: it would leave its folder")
