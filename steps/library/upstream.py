"""What the steps before this one left of the samples that a child is about, as far as their markers vouch for it."""

from __future__ import annotations

from collections.abc import Sequence

from fetch_and_run import s3
from steps.library.contract import Files, Folder, Job, Upstream
from steps.library.failure import DataError
from steps.library.place import Place, look, look_into_each
from steps.library.sheet import Row
from steps.library.threads import side_by_side

NAMED_AT_MOST = 5
AGAIN = "run the pipeline again, and it makes what is missing"


def published(job: Job, step: str, rows: Sequence[Row]) -> dict[str, s3.Stored]:
    """All files of the step's whole results, by name on disk. Raises: DataError where there is no whole result."""
    upstream = job.after[step]
    places = _places(job, upstream, rows)
    results = _each_result(step, upstream, places)
    lacking = [folder.removesuffix("/") for folder in places if folder not in results]
    if lacking == [""]:
        raise DataError(f"{step} has no whole result of this {upstream.scope}: {AGAIN}")
    if lacking:
        raise DataError(f"{some_of(lacking, len(places), f'whole result of {step}')}: {AGAIN}")
    return {
        f"{step}/{folder}{name}": s3.Stored(places[folder].of(name), *found)
        for folder, files in results.items()
        for name, found in files.items()
    }


def some_of(samples: Sequence[str], total: int, lack: str) -> str:
    """A sentence as: 2 of 8 samples have no picard/r1.fq.gz: s1, s2."""
    more = ", …" if len(samples) > NAMED_AT_MOST else ""
    return f"{len(samples)} of {total} samples have no {lack}: {', '.join(samples[:NAMED_AT_MOST])}{more}"


def _places(job: Job, upstream: Upstream, rows: Sequence[Row]) -> dict[str, Place]:
    """Where the step published, by the folder on disk: one place, or in a step of the whole run one a sample."""
    if upstream.scope != "sample":
        return {"": look(upstream.output)}
    if job.scope == "sample":
        return {"": look(f"{upstream.output}/{rows[0]['sample']}")}
    there = look_into_each(upstream.output)
    nothing = Folder({}, ())
    samples = [row["sample"] for row in rows]
    return {f"{one}/": there.get(one) or Place(f"{upstream.output}/{one}", nothing) for one in samples}


def _each_result(step: str, upstream: Upstream, places: dict[str, Place]) -> dict[str, Files]:
    """The files of each place that holds a whole result."""

    def result(place: Place) -> Files | None:
        return _result(step, upstream, place)

    found = side_by_side(result, places.values())
    return {folder: files for folder, files in zip(places, found, strict=True) if files is not None}


def _result(step: str, upstream: Upstream, place: Place) -> Files | None:
    """The files of the one whole result, or None. Raises: DataError when there are two that differ."""
    results = place.results(upstream.fingerprint)
    [first, *others] = results.values() or [None]
    if any(files != first for files in others):
        markers = ", ".join(map(place.of, results))
        raise DataError(
            f"{step} left results that differ, and each is whole: remove the wrong marker of {markers}"
        )
    return first
