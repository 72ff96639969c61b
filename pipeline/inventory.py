"""What is in the bucket before a run: listings, and what the success markers say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.layout import Layout
from pipeline.plan import Inventory
from pipeline.storage import Bucket

CONCURRENT_READS = 16


def take_inventory(bucket: Bucket, layout: Layout) -> Inventory:
    """The inventory of one pipeline over one reference: one LIST call per thousand objects.

    A marker is read once in its life: what it says is kept in the bucket beside its ETag.
    """
    prefixes = (layout.input_prefix, layout.reference_prefix, layout.results)
    etags = {found.key: found.etag for prefix in prefixes for found in bucket.objects(f"{prefix}/")}
    known = _read_cache(bucket, layout)
    markers = {}
    unread = []
    for key, etag in etags.items():
        if key.rpartition("/")[2].startswith("_SUCCESS."):
            if key in known and known[key]["etag"] == etag:
                markers[key] = known[key]
            else:
                unread.append(key)
    with ThreadPoolExecutor(CONCURRENT_READS) as threads:
        for key, marker in zip(unread, threads.map(bucket.read_json, unread), strict=True):
            if marker is not None:
                markers[key] = {"etag": etags[key], **_essence(marker)}
    if unread:
        _write_cache(bucket, layout, markers)
    return Inventory(etags, markers)


def _essence(marker: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan needs of a marker."""
    files = {name: {"etag": file["etag"]} for name, file in marker.get("files", {}).items()}
    kept = {name: marker.get(name, {}) for name in ("fingerprint", "columns", "inputs")}
    return {**kept, "files": files}


def _read_cache(bucket: Bucket, layout: Layout) -> dict[str, dict[str, Any]]:
    body = bucket.read(layout.markers)
    try:
        return json.loads(gzip.decompress(body)) if body else {}
    except (OSError, EOFError, ValueError):
        return {}  # only a cache: the markers themselves are read again


def _write_cache(bucket: Bucket, layout: Layout, markers: Mapping[str, Mapping[str, Any]]) -> None:
    bucket.write(layout.markers, gzip.compress(json.dumps(markers).encode(), mtime=0))
