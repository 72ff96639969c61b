"""The success marker: what a child made and of what. It is written last, so what it names is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from fetch_and_run import s3
from steps.job import Job

HEADS_AT_MOST = 16  # above, one LIST of a thousand is cheaper than its HEADs

Marker = dict[str, Any]


def read_marker(url: str) -> Marker | None:
    """What the marker at `url` says, or None when there is none."""
    try:
        marker: Marker = json.loads(s3.read(url))
    except FileNotFoundError:
        return None
    return marker


def write_marker(url: str, marker: Marker) -> None:
    """The marker is at `url`."""
    s3.write(url, json.dumps(marker, ensure_ascii=False, indent=1).encode() + b"\n")


def still_true(marker: Marker, job: Job, place: str) -> bool:
    """Its fingerprint is the job's, its inputs are what they were, and what it names is still there."""
    if marker["fingerprint"] != job.fingerprint:
        return False
    expected = dict(marker["inputs"])
    expected |= {f"{place}/{name}": file["etag"] for name, file in marker["files"].items()}
    return {stored.url: stored.etag for stored in find(job, expected)} == expected


def find(job: Job, urls: Iterable[str]) -> Iterator[s3.Stored]:
    """Those of the objects that exist: a HEAD each where they are few, else a LIST of their folder."""
    folders: dict[str, set[str]] = {}
    for url in urls:
        folders.setdefault(job.folder(url), set()).add(url)
    for folder, wanted in folders.items():
        if len(wanted) <= HEADS_AT_MOST:
            yield from filter(None, map(s3.describe, wanted))
        else:
            yield from (stored for stored in s3.listing(folder) if stored.url in wanted)
