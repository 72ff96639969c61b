"""A bucket in memory behind the door to S3, for what need not run as a process: it counts requests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fetch_and_run import s3


class Objects:
    """The functions of fetch_and_run.s3 over a dictionary by URL."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.requests: list[str] = []

    def read(self, url: str) -> bytes:
        self.requests.append(f"GET {url}")
        if url not in self.content:
            raise FileNotFoundError(url)
        return self.content[url]

    def write(self, url: str, content: bytes) -> None:
        self.requests.append(f"PUT {url}")
        self.content[url] = content

    def upload(self, path: Path, url: str) -> s3.Stored:
        self.write(url, path.read_bytes())
        return self.stored(url)

    def describe(self, url: str) -> s3.Stored | None:
        self.requests.append(f"HEAD {url}")
        return self.stored(url) if url in self.content else None

    def listing(self, prefix: str) -> Iterator[s3.Stored]:
        self.requests.append(f"LIST {prefix}")
        yield from [self.stored(url) for url in sorted(self.content) if url.startswith(f"{prefix}/")]

    def download_unchanged(self, found: s3.Stored, path: Path) -> None:
        path.write_bytes(self.read(found.url))

    def stored(self, url: str) -> s3.Stored:
        body = self.content[url]
        return s3.Stored(url, hashlib.md5(body).hexdigest(), len(body))
