"""What is in the bucket before a run, from LIST calls by the sheet and not by what else lies there. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.cloud.bucket import AT_ONCE, Bucket, StoredObject
from pipeline.model.layout import Layout
from pipeline.model.pipeline import Per, Pipeline, Step
from pipeline.model.sheet import SampleSheet
from pipeline.plan.plan import Inventory, Listing
from steps.library.contract import Found, Marker

SINGLES_A_PAGE = 40  # requests for one object each that cost about as much as one page of a thousand


def take_inventory(bucket: Bucket, pipeline: Pipeline, sheet: SampleSheet, layout: Layout) -> Inventory:
    """The outside inputs that the sheet names, the reference, and what stands of each step."""
    with ThreadPoolExecutor() as threads:
        outside = threads.submit(_outside, bucket, pipeline, sheet, layout)
        folders = {
            step.name: threads.submit(_folders, bucket, step, sheet, layout)
            for step in pipeline.steps
            if step.per != Per.REFERENCE
        }
        found = outside.result()
        prefix = f"{layout.reference_prefix}/"
        reference = [(key.removeprefix(prefix), one) for key, one in found.items() if key.startswith(prefix)]
        return Inventory(found, reference, {name: future.result() for name, future in folders.items()})


def marker_reader(bucket: Bucket) -> Callable[[Sequence[str]], Mapping[str, Marker]]:
    """Reads markers side by side, for those folders of which a listing alone does not tell."""

    def read(keys: Sequence[str]) -> Mapping[str, Marker]:
        return {key: json.loads(body) for key, body in (bucket.read_all(keys) if keys else ()) if body}

    return read


def _outside(bucket: Bucket, pipeline: Pipeline, sheet: SampleSheet, layout: Layout) -> dict[str, Found]:
    prefix = f"{layout.reference_prefix}/"
    found = {one.key: _found(one) for one in bucket.objects(prefix)}
    paths = {one.path for _, one in pipeline.outside_inputs() if one.room == "input"}
    wanted = {sheet.fill(layout.source(path), row) for path in paths for row in sheet.rows}
    listed = _list_or_ask(
        bucket, f"{layout.input_prefix}/", wanted, lambda key: filter(None, [bucket.describe(key)])
    )
    found |= {one.key: _found(one) for one in listed if one.key in wanted}
    return {key: one for key, one in found.items() if _is_an_input(key)}


def _is_an_input(key: str) -> bool:
    """False for the empty object of a console's folder, which an empty cell of the sheet would name."""
    return not {"", ".", ".."} & set(key.split("/"))


def _folders(bucket: Bucket, step: Step, sheet: SampleSheet, layout: Layout) -> Mapping[str | None, Listing]:
    """What lies in the folder of each child of a step, by sample."""
    if step.per == Per.RUN:
        prefix = f"{layout.output(step, sheet.cohort(step.used_columns))}/"
        return {None: [(one.key.removeprefix(prefix), _found(one)) for one in bucket.objects(prefix)]}
    prefix = f"{layout.output(step, '')}/"
    wanted = set(sheet.samples)
    listed = _list_or_ask(bucket, prefix, wanted, lambda sample: bucket.objects(f"{prefix}{sample}/"))
    folders: dict[str | None, Any] = {}
    for one in listed:
        sample, _, name = one.key.removeprefix(prefix).partition("/")
        if sample in wanted:
            folders.setdefault(sample, []).append((name, _found(one)))
    return folders


def _list_or_ask(
    bucket: Bucket, prefix: str, wanted: set[str], ask: Callable[[str], Iterable[StoredObject]]
) -> Iterator[StoredObject]:
    """All below the prefix where that is not many pages more than there are wanted; else what each wanted one has.

    The order of a listing is not relied on: not every store keeps S3's.
    """
    if not wanted:
        return
    pages = []
    for number, page in enumerate(bucket.pages(prefix)):
        if number > len(wanted) // SINGLES_A_PAGE:
            break
        pages.append(page)
    else:
        for page in pages:
            yield from page
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for found in threads.map(lambda name: list(ask(name)), sorted(wanted)):
            yield from found


def _found(one: StoredObject) -> Found:
    return Found(one.etag, one.size)
