"""Which runs of a results tree are open, and which client may start the next: one conditional write decides.

Runs claim numbers, in order, in `runs/_open/<tree>/`. A client looks at the claims, judges what they mean for its own
work, and then writes the next number, only if it is absent: it succeeds only where no run was started since the look.
The last claim is never removed, so that a number is never given twice; those before it are removed once their runs
are closed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.run_folder import RunFolder
from pipeline.model.layout import Layout


@dataclass(frozen=True)
class Claims:
    """A look at a tree's claims: the runs that are not closed, oldest first, and the last number that was claimed."""

    open_runs: tuple[RunFolder, ...]
    last: int


def look(bucket: Bucket, layout: Layout) -> Claims:
    """The claims as they stand; nothing is written."""
    numbers = sorted(_number(found.key, layout) for found in bucket.objects(layout.claims))
    claimed = [bucket.read_json(layout.claim(number)) for number in numbers]
    folders = [RunFolder(bucket, value["run"]) for value in claimed if value]
    return Claims(tuple(folder for folder in folders if folder.is_open()), numbers[-1] if numbers else 0)


def has_claim(bucket: Bucket, claims: str, run_id: str) -> bool:
    """Whether the run was claimed; one that was pinned and not claimed was never started."""
    values = (bucket.read_json(found.key) for found in bucket.objects(claims))
    return any(value and value["run"] == run_id for value in values)


def claim(bucket: Bucket, layout: Layout, *, after: Claims, run_id: str) -> bool:
    """The run may be submitted; False where another run was started in this tree since that look."""
    return bucket.write_new(layout.claim(after.last + 1), json.dumps({"run": run_id}).encode())


def tidy(bucket: Bucket, layout: Layout) -> None:
    """Claims of closed runs are gone, but for the last of all."""
    numbers = sorted(_number(found.key, layout) for found in bucket.objects(layout.claims))
    for number in numbers[:-1]:
        value = bucket.read_json(layout.claim(number))
        if value and not RunFolder(bucket, value["run"]).is_open():
            bucket.delete(layout.claim(number))


def _number(key: str, layout: Layout) -> int:
    return int(key.removeprefix(layout.claims).removesuffix(".json"))
