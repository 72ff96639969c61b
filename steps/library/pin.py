"""A child's inputs as they are before it starts, each pinned to the ETag and the size that it has then.

A step that declares files of an upstream depends on those; one that declares none depends on all that it published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fetch_and_run import s3
from steps.library.contract import Input, Job, fill, inputs_of_run, on_disk
from steps.library.failure import USAGE, DataError, Failure
from steps.library.sheet import Row
from steps.library.threads import side_by_side
from steps.library.upstream import published, some_of

HEADS_AT_MOST = 1000  # above, their whole folder is listed, whatever else lies there
OUTSIDE = ("input", "reference")

Pinned = Mapping[str, s3.Stored]  # by name on disk


@dataclass(frozen=True)
class Wanted:
    """A declared input: its name on disk, where it is, and the row of which it is one."""

    declared: Input
    name: str
    url: str
    row: Row


def pin(job: Job, rows: Sequence[Row]) -> Pinned:
    """Every input of the child as it is now, by its name on disk; `rows` are those that the child is about.

    Raises: DataError naming all that is missing.
    """
    wanted = list(_wanted(job, rows))
    _refuse_twins(wanted)
    results = {step: published(job, step, rows) for step in job.after}
    there = {stored.url: stored for files in results.values() for stored in files.values()}
    there |= {stored.url: stored for stored in _outside(job, wanted)}
    _refuse_missing(wanted, there)
    inputs = {one.name: there[one.url] for one in wanted if one.url in there}
    for step in undeclared(job):
        inputs |= results[step]
    return inputs


def undeclared(job: Job) -> list[str]:
    """The steps before this one of which it declares no file."""
    rooms = {one.room for one in job.inputs}
    return [step for step in job.after if step not in rooms]


def declared(job: Job) -> list[tuple[Input, bool]]:
    """The declared inputs, and of which there is one of every sample."""
    if job.scope == "run":
        return list(inputs_of_run(job.inputs, job.after))
    return [(one, False) for one in job.inputs]


def _wanted(job: Job, rows: Sequence[Row]) -> Iterator[Wanted]:
    for one, of_every in declared(job):
        for row in rows if of_every or job.scope == "sample" else [{}]:
            folder = f"{row['sample']}/" if of_every else ""
            url = f"{_room(job, one, row)}/{fill(one.name, row)}"
            yield Wanted(one, f"{one.room}/{folder}{on_disk(one.name)}", url, row)


def _room(job: Job, one: Input, row: Row) -> str:
    """The URL of the folder that the input's first word stands for. Raises: Failure when it stands for none."""
    if one.room in OUTSIDE:
        return job.input if one.room == "input" else job.reference
    if one.room not in job.after:
        told = f"step {job.step!r} declares {one.path!r}, of a step that it does not come after"
        raise Failure(f"{told}: name {one.room} in after=[…]", USAGE)
    upstream = job.after[one.room]
    return f"{upstream.output}/{row['sample']}" if upstream.scope == "sample" else upstream.output


def _outside(job: Job, wanted: Iterable[Wanted]) -> Iterator[s3.Stored]:
    """Those of input/… and reference/… that exist: a HEAD each, but a LIST of the folder for very many."""
    for room, folder in (("input", job.input), ("reference", job.reference)):
        urls = {one.url for one in wanted if one.declared.room == room and _is_a_key(one.url)}
        if len(urls) <= HEADS_AT_MOST:
            yield from filter(None, side_by_side(s3.describe, sorted(urls)))
        else:
            yield from (stored for stored in s3.listing(folder) if stored.url in urls)


def _is_a_key(url: str) -> bool:
    """False for what a cell of the sheet that is empty, or climbs, makes of a template."""
    return not {"", ".", ".."} & set(url.removeprefix("s3://").split("/"))


def _refuse_twins(wanted: Sequence[Wanted]) -> None:
    """No two objects would be one file on disk. Raises: Failure."""
    first: dict[str, Wanted] = {}
    for one in wanted:
        other = first.setdefault(one.name, one)
        if other.url != one.url:
            told = f"{other.declared.path!r} and {one.declared.path!r} would both be {one.name} on disk"
            raise Failure(f"{told}: rename the column, or one of the files", USAGE)


def _refuse_missing(wanted: Sequence[Wanted], there: Mapping[str, s3.Stored]) -> None:
    """All that must be there is. Raises: DataError, a sentence for each declared input that is not."""
    missing: dict[Input, list[Wanted]] = {}
    for one in wanted:
        if one.url not in there and _must_be_there(one):
            missing.setdefault(one.declared, []).append(one)
    if missing:
        total = len({one.row["sample"] for one in wanted if one.row})
        raise DataError("; ".join(_told(lacking, total) for lacking in missing.values()))


def _must_be_there(one: Wanted) -> bool:
    """Whether it is required: an optional input is, where its cells of the sheet are filled and so name an object."""
    cells = [one.row.get(column) for column in one.declared.columns]
    return not one.declared.is_optional or (bool(cells) and all(cells))


def _told(lacking: Sequence[Wanted], total: int) -> str:
    one = lacking[0]
    hint = " (in an optional column, only an empty cell means none)" if one.declared.is_optional else ""
    if one.row and total > 1:
        return some_of([each.row["sample"] for each in lacking], total, one.declared.path) + hint
    if one.declared.room in OUTSIDE:
        return f"{fill(one.declared.path, one.row)} does not exist: {one.url}{hint}"
    return f"step {one.declared.room} did not publish {fill(one.declared.name, one.row)}: {one.url}{hint}"
