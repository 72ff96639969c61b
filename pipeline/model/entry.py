"""How one step stands for one sample: a row of the ledger, a cell of the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.model.status import Status

ONCE = "-"  # stands for the sample of a step that runs once


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One child's end, or how it stands now."""

    sample: str  # ONCE where there is none
    step: str
    status: Status
    attempts: int = 0
    exit_code: int | None = None
    reason: str | None = None  # one line
    seconds: float | None = None  # of the last attempt
    log: str | None = None  # its log stream
    job_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What `status --json` shows of it, beside its sample and step."""
        shown = asdict(self)
        del shown["sample"], shown["step"], shown["job_id"]
        return shown

    def to_row(self) -> list[str]:
        """Its cells in the ledger; an empty one for None."""
        values = (getattr(self, one) for one in COLUMNS)
        return ["" if value is None else " ".join(str(value).splitlines()) for value in values]

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Entry:
        """The entry of that row, by column; columns that this version does not know are left out."""
        return cls(
            sample=row["sample"],
            step=row["step"],
            status=Status(row["status"]),
            attempts=int(row["attempts"]),
            exit_code=int(row["exit_code"]) if row["exit_code"] else None,
            reason=row["reason"] or None,
            seconds=float(row["seconds"]) if row["seconds"] else None,
            log=row["log"] or None,
            job_id=row["job_id"] or None,
        )

    @classmethod
    def from_cells(cls, cells: Sequence[str]) -> Entry:
        """The entry that `to_row` gave."""
        return cls.from_row(dict(zip(COLUMNS, cells, strict=True)))


COLUMNS = tuple(field.name for field in fields(Entry))


def unchanged(sample: str, step: str) -> Entry:
    """A result that stood before the run."""
    return Entry(sample=sample, step=step, status=Status.SUCCEEDED, reason="unchanged: done before this run")
