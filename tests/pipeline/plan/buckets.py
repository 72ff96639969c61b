"""A bucket behind the client's door, whose requests are counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.cloud.bucket import Bucket, StoredObject

PAGE = 1000
THEN = "2026-01-01T00:00:00.000Z"


class CountingBucket(Bucket):
    """Holds `objects` (key ↔ bytes), lists them in the order given, and keeps every request that is made of it."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.name = "lab"
        self.held = dict(objects)
        self.requests: list[tuple[str, str]] = []

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        keys = [key for key in self.held if key.startswith(prefix)]
        for first in range(0, len(keys) or 1, PAGE):
            self.requests.append(("LIST", prefix))
            yield [self._stored(key) for key in keys[first : first + PAGE]]

    def describe(self, key: str) -> StoredObject | None:
        self.requests.append(("HEAD", key))
        return self._stored(key) if key in self.held else None

    def read_all(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        for key in keys:
            self.requests.append(("GET", key))
            yield key, self.held.get(key)

    def _stored(self, key: str) -> StoredObject:
        return StoredObject(key, f"etag of {key}", len(self.held[key]), THEN)
