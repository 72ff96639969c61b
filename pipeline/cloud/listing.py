"""Listings are read ten times as fast: botocore's parser walks its model for each of a page's thousand objects.

The request, its signature, retries and errors stay botocore's; only the objects of a page's body are taken out before
its own parser sees the rest. Measured: 95 µs an object with botocore's parser, 8 with this one (benchmarks/scale.py).
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

OK = 200


def read_listings_quickly(s3: Any) -> None:
    """This client's ListObjectsV2 gives objects of Key, ETag, Size and LastModified (as text), and nothing more."""
    s3.meta.events.register("before-parse.s3.ListObjectsV2", _take_objects)


def _take_objects(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    if response_dict["status_code"] != OK:
        return
    root = ElementTree.fromstring(response_dict["body"])
    space = root.tag.rpartition("}")[0] + "}" if root.tag.startswith("{") else ""
    names = {f"{space}{name}": name for name in ("Key", "ETag", "Size", "LastModified")}
    rest = ElementTree.Element(root.tag)
    objects = []
    for child in root:
        if child.tag != f"{space}Contents":
            rest.append(child)
            continue
        found: dict[str, Any] = {names[part.tag]: part.text for part in child if part.tag in names}
        objects.append({**found, "Size": int(found["Size"])})
    response_dict["body"] = ElementTree.tostring(rest)
    if objects:
        customized_response_dict["Contents"] = objects
