"""The sample sheet: row i is child i of every array job."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import InputError, Problem

MAX_NAME_BYTES = 255  # a name becomes one segment of an S3 key and one folder on a disk
HEADERS = {"sample", "sample_id", "sampleid", "sample_name"}


@dataclass(frozen=True)
class SampleSheet:
    """Samples and their columns; `rows[i][0]` is the name of sample i, and `columns[0]` is "sample"."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def samples(self) -> list[str]:
        """The sample names, in the sheet's order."""
        return [row[0] for row in self.rows]

    def children(self) -> list[tuple[str | None, dict[str, str]]]:
        """Each sample with its columns by name."""
        return [(row[0], dict(zip(self.columns, row, strict=True))) for row in self.rows]

    def fill(self, template: str, row: Sequence[str]) -> str:
        """`template` with {sample} and {column} replaced by this row's values, each once."""
        values = dict(zip(self.columns, row, strict=True))
        return re.sub(r"\{([^{}]*)\}", lambda found: values.get(found[1], found[0]), template)

    def subset(self, names: Iterable[str]) -> SampleSheet:
        """The rows of these samples, in the sheet's order."""
        wanted = set(names)
        return SampleSheet(self.columns, tuple(row for row in self.rows if row[0] in wanted))

    def tsv(self) -> bytes:
        """The pinned form: a header line, then row i on line i + 2; UTF-8, LF, tab-separated."""
        return "".join("\t".join(row) + "\n" for row in (self.columns, *self.rows)).encode()

    def digest(self) -> str:
        """Twelve hex digits that name this cohort: the same samples and columns in the same order."""
        return hashlib.sha256(self.tsv()).hexdigest()[:12]


def parse_sheet(text: str, source: str, suffix: str = "") -> SampleSheet:
    """The sheet that `text` holds: one sample a line, or comma- or tab-separated columns under a header.

    Blank lines, `#` comments, a byte order mark, CR LF and an optional `suffix` (".bam") after a name are fine.

    Raises: InputError with every bad line at once.
    """
    lines = list(_content_lines(text))
    columns, lines = _header(lines)
    rows, problems = [], []
    seen: dict[str, int] = {}
    for number, cells in lines:
        name = cells[0].removesuffix(suffix) if cells[0] != suffix else cells[0]
        where = f"{source}, line {number}"
        problem = _name_problem(name, where) or _row_problem(cells, columns, where)
        if not problem and (key := unicodedata.normalize("NFC", name)) in seen:
            problem = Problem(
                f"sample {name!r} is listed twice, on lines {seen[key]} and {number}",
                source,
                "delete one of them: both would write the same results",
            )
        if problem:
            problems.append(problem)
            continue
        seen[unicodedata.normalize("NFC", name)] = number
        rows.append((name, *cells[1:]))
    if not lines:
        problems.append(Problem("the sample list names no sample", source, "write one sample name a line"))
    problems += _column_problems(columns, source)
    if problems:
        raise InputError(problems)
    return SampleSheet(columns, tuple(rows))


def _content_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank or a comment; the first one decides the separator."""
    separator = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = line.removesuffix("\r")
        if line.strip() and not line.lstrip().startswith("#"):
            separator = separator or ("\t" if "\t" in line.strip() else ",")
            yield number, [cell.strip(" \t") for cell in line.split(separator)]


def _header(lines: list[tuple[int, list[str]]]) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    if not lines:
        return ("sample",), lines
    first = lines[0][1]
    named = first[0].lower() in HEADERS
    if len(first) > 1 or named:
        return ("sample", *first[1:]), lines[1:]
    return ("sample",), lines


def _column_problems(columns: Sequence[str], source: str) -> Iterator[Problem]:
    """Columns become variables such as SAMPLE_LIBRARY_PREP: two of one variable are refused, and those of none."""
    seen: dict[str, str] = {}
    for column in columns:
        variable = re.sub(r"[^A-Z0-9_]", "_", column.upper())
        if not column or variable in seen:
            what = (
                f"the columns {seen[variable]!r} and {column!r} are the same"
                if column
                else "a column has no name"
            )
            yield Problem(what, f"{source}, the header", "give each column a name of its own")
        seen[variable] = column


def _name_problem(name: str, where: str) -> Problem | None:
    fix = "rename the sample: its name becomes a folder in the bucket"
    if not name:
        return Problem("a sample has no name", where, "write its name in the first column")
    if name in {".", ".."} or "/" in name or "\\" in name:
        return Problem(f"sample {name!r} has a path separator in its name", where, fix)
    if _has_control_character(name):
        return Problem(f"sample {name!r} has a control character in its name", where, fix)
    if (size := len(name.encode())) > MAX_NAME_BYTES:
        return Problem(f"sample {name[:40]!r}… is {size} bytes long, over {MAX_NAME_BYTES}", where, fix)
    return None


def _has_control_character(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text)


def _row_problem(cells: Sequence[str], columns: Sequence[str], where: str) -> Problem | None:
    if any(map(_has_control_character, cells)):
        return Problem(
            f"sample {cells[0]!r} has a control character in a column",
            where,
            "delete it: it may be a tab among commas",
        )
    if len(cells) == len(columns):
        return None
    if len(columns) == 1:
        return Problem(
            f"sample {cells[0]!r} has {len(cells)} columns, and nothing names them",
            where,
            "add a header as the first line, such as: sample,condition",
        )
    return Problem(
        f"sample {cells[0]!r} has {len(cells)} columns where the header has {len(columns)}",
        where,
        "give it as many columns as the header (" + ", ".join(columns) + ")",
    )
