"""The sample sheet: row i is child i of every array job."""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import InputError, Problem
from pipeline.model.entry import ONCE
from steps.library.contract import ROWS_A_CHUNK, fill

MAX_NAME_BYTES = 255  # a name becomes one segment of an S3 key and one folder on a disk
SAMPLE_WORDS = {"sample", "sample_id", "sampleid", "sample_name"}
HEADERS = SAMPLE_WORDS | {
    *("id", "name", "participant", "participant_id", "subject", "subject_id"),
    *("patient", "patient_id", "donor", "donor_id", "well"),
}


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

    def values(self, row: Sequence[str], columns: Iterable[str]) -> dict[str, str]:
        """The values of these columns in a row, by name. Raises: ValueError for a column that the sheet lacks."""
        return {column: row[self.columns.index(column)] for column in columns}

    def fill(self, template: str, row: Sequence[str]) -> str:
        """`template` with {sample} and {column} replaced by this row's values, each once."""
        return fill(template, dict(zip(self.columns, row, strict=True)))

    def subset(self, names: Iterable[str]) -> SampleSheet:
        """The rows of these samples, in the sheet's order."""
        wanted = set(names)
        return SampleSheet(self.columns, tuple(row for row in self.rows if row[0] in wanted))

    def cohort(self, columns: Iterable[str]) -> str:
        """Twelve hex digits that name these samples, in this order, with the values of these columns."""
        places = [0, *(self.columns.index(column) for column in columns)]
        digest = hashlib.sha256()
        for row in (self.columns, *self.rows):
            digest.update(_line([row[place] for place in places]))
        return digest.hexdigest()[:12]

    def digest(self) -> str:
        """The cohort of all columns."""
        return self.cohort(self.columns[1:])

    def tsv(self, first: int = 0, after: int | None = None) -> bytes:
        """The pinned form of these rows: a header line, then a line a row; UTF-8, LF, tab-separated."""
        return b"".join(map(_line, (self.columns, *self.rows[first:after])))

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Each chunk of a thousand rows, with its number, in its pinned form."""
        for number, first in enumerate(range(0, len(self.rows), ROWS_A_CHUNK)):
            yield number, self.tsv(first, first + ROWS_A_CHUNK)

    @classmethod
    def pinned(cls, body: bytes) -> SampleSheet:
        """The sheet of which this is the pinned form."""
        columns, *rows = (tuple(line.split("\t")) for line in body.decode().removesuffix("\n").split("\n"))
        return cls(columns, tuple(rows))


def _line(cells: Iterable[str]) -> bytes:
    return ("\t".join(cells) + "\n").encode()


def parse_sheet(text: str, source: str, suffix: str = "") -> SampleSheet:
    """The sheet that `text` holds: one sample a line, or comma- or tab-separated columns under a header.

    Blank lines, `#` comments, a byte order mark, CR LF and an optional `suffix` (".bam") after a name are fine.
    Quotes are CSV's where commas separate columns; elsewhere they are part of the name.

    Raises: InputError with every bad line at once, or with a bad header alone: it says how the lines are read.
    """
    separator, lines = _content_lines(text)
    columns, lines = _header(separator, lines, source)
    rows, problems = [], []
    seen: dict[str, int] = {}
    for number, line in lines:
        where = f"{source}, line {number}"
        try:
            cells = _cells(line, separator, is_csv=len(columns) > 1)
        except csv.Error as error:
            problems.append(_csv_problem(error, where))
            continue
        name = cells[0].removesuffix(suffix) if cells[0] != suffix else cells[0]
        problem = (
            _name_problem(name, where)
            or _row_problem(cells, columns, where)
            or _suffix_problem(name, suffix, where)
        )
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


def _content_lines(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The separator, as the first line has it, and (line number, line) of all that are not blank or a comment."""
    lines = [
        (number, line.removesuffix("\r"))
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return "\t" if lines and "\t" in lines[0][1].strip() else ",", lines


def _cells(line: str, separator: str, *, is_csv: bool) -> list[str]:
    """The line's cells, without blanks around them. Raises: csv.Error for quotes that are not CSV's."""
    cells = line.split(separator)
    if is_csv and separator == "," and '"' in line:
        [cells] = csv.reader([line.strip(" \t")], strict=True, skipinitialspace=True)
    return [cell.strip(" \t") for cell in cells]


def _csv_problem(error: csv.Error, where: str) -> Problem:
    return Problem(
        f"the quotes of the line are not CSV: {error}",
        where,
        'close each quote on its line, and write one inside a quoted cell twice: "say ""hi"""',
    )


def _header(
    separator: str, lines: list[tuple[int, str]], source: str
) -> tuple[tuple[str, ...], list[tuple[int, str]]]:
    """The columns, and the lines below the header. Raises: InputError for columns that it does not name well."""
    if not lines:
        return ("sample",), lines
    number, line = lines[0]
    where = f"{source}, line {number}"
    first = _cells(line, separator, is_csv=False)
    if len(first) == 1:
        if problem := _semicolon_problem(first[0], where):
            raise InputError(problem)
        return ("sample",), lines[first[0].lower() in SAMPLE_WORDS :]
    try:
        first = _cells(line, separator, is_csv=True)
    except csv.Error as error:
        raise InputError(_csv_problem(error, where)) from error
    if problem := _header_problem(first, where):
        raise InputError(problem)
    return ("sample", *first[1:]), lines[1:]


def _header_problem(header: Sequence[str], where: str) -> Problem | None:
    """Columns are named by a header, and its first cell by a word that stands for the sample."""
    words = [_word(cell) for cell in header]
    late = [cell for cell, word in zip(header, words, strict=True) if word in SAMPLE_WORDS]
    if late and words[0] not in SAMPLE_WORDS:
        return Problem(
            f"the first column is the sample, and the header has {header[0]!r} there and {late[0]!r} later",
            where,
            f"move the column {late[0]!r} to the front",
        )
    if words[0] not in HEADERS:
        return Problem(
            f"the list has columns, and its first line is no header: it begins with {header[0]!r}",
            where,
            "write a header as the first line, such as sample,condition; or, if it is one, "
            "name the first column sample",
        )
    return None


def _semicolon_problem(line: str, where: str) -> Problem | None:
    first, semicolon, _ = line.partition(";")
    if not semicolon or _word(first.strip(' \t"')) not in HEADERS:
        return None
    return Problem(
        f"the header {line!r} separates its columns by semicolons", where, "separate them by commas or tabs"
    )


def _word(cell: str) -> str:
    """A header's word as HEADERS has it: "Sample ID" is sample_id."""
    return variable(cell).lower()


def variable(column: str) -> str:
    """What follows SAMPLE_ in the name of the variable that holds a column's value."""
    return re.sub(r"[^A-Z0-9_]", "_", column.upper())


def _column_problems(columns: Sequence[str], source: str) -> Iterator[Problem]:
    """Columns become variables such as SAMPLE_LIBRARY_PREP: two of one variable are refused, and those of none."""
    seen: dict[str, str] = {}
    for column in columns:
        name = variable(column)
        what = None
        if not column:
            what = "a column has no name"
        elif _has_control_character(column):
            what = f"the column {column!r} has a control character in its name"
        elif name in seen:
            what = f"the columns {seen[name]!r} and {column!r} are the same"
        if what:
            yield Problem(what, f"{source}, the header", "give each column a name of its own")
        seen[name] = column


def _name_problem(name: str, where: str) -> Problem | None:
    fix = "rename the sample: its name becomes a folder in the bucket"
    if not name:
        return Problem("a sample has no name", where, "write its name in the first column")
    if name == ONCE:
        return Problem(f"a sample is called {name!r}, which stands for steps that run once", where, fix)
    if name in {".", ".."} or "/" in name or "\\" in name:
        return Problem(f"sample {name!r} has a path separator in its name", where, fix)
    if name.startswith("#"):
        return Problem(f"sample {name!r} begins with #, as a comment does", where, fix)
    if _has_control_character(name):
        return Problem(f"sample {name!r} has a control character in its name", where, fix)
    if (size := len(name.encode())) > MAX_NAME_BYTES:
        return Problem(f"sample {name[:40]!r}… is {size} bytes long, over {MAX_NAME_BYTES}", where, fix)
    return None


def _suffix_problem(name: str, suffix: str, where: str) -> Problem | None:
    """A name that ends in the suffix would lose it too where it is read again, in a list of the failed samples."""
    if not suffix or not name.endswith(suffix) or name == suffix:
        return None
    return Problem(
        f"sample {name + suffix!r} ends in {suffix!r} twice",
        where,
        f"rename the sample: {suffix!r} is taken off, and a list of failed samples would name another one",
    )


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
