"""The one door to S3 of what runs in a container: objects by URL, streamed, retried, in flat memory.

obstore reads the environment as AWS's SDKs do: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, keys, and the role of
a container (ECS), an instance (IMDSv2) or a web identity. It is imported in 10 ms where boto3 takes 400.

Retried, with exponential backoff and jitter: 5xx, 429, refused and dropped connections, and a read that stalls, up to
AWS_MAX_ATTEMPTS (default 10) times within three minutes. Never retried: 4xx, a wrong key or a missing object.
Source: https://docs.rs/object_store/latest/object_store/struct.RetryConfig.html
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import obstore
from obstore.exceptions import PreconditionError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta

CHUNK_BYTES = 8 * 2**20
UPLOADED_AT_ONCE = 4
MAX_PARTS = 10_000  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html


class NotAnUrlError(ValueError):
    """The text is not s3://bucket/key."""


class ChangedError(Exception):
    """The object is no longer the one of that ETag: it was replaced or removed."""


class Stored(NamedTuple):
    """An object in S3; the ETag is without its quotes."""

    url: str
    etag: str
    size: int


def split(url: str) -> tuple[str, str]:
    """The bucket and the key of an s3:// URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket or not key:
        raise NotAnUrlError(f"{url!r} is not s3://bucket/key")
    return bucket, key


def read(url: str) -> bytes:
    """The whole of a small object. Raises: FileNotFoundError."""
    store, key = _locate(url)
    return bytes(obstore.get(store, key).bytes())


def read_tail(found: Stored, length: int) -> bytes:
    """The last `length` bytes of the object, or all of a shorter one. Raises: ChangedError."""
    if found.size == 0:
        return b""  # it has no last byte that a range could name
    start = max(0, found.size - length)
    return bytes(_get_unchanged(found, {"range": (start, found.size)}).bytes())


def download(url: str, path: Path) -> Stored:
    """The object is at `path`, streamed. Raises: FileNotFoundError."""
    store, key = _locate(url)
    got = obstore.get(store, key)
    _save(got, path)
    return _stored(url, got.meta)


def download_unchanged(found: Stored, path: Path) -> None:
    """The very object that was found is at `path`, streamed. Raises: ChangedError."""
    _save(_get_unchanged(found, {}), path)


def _get_unchanged(found: Stored, options: "GetOptions") -> "GetResult":
    store, key = _locate(found.url)
    try:
        got = obstore.get(store, key, options={**options, "if_match": f'"{found.etag}"'})
    except (PreconditionError, FileNotFoundError) as error:
        raise ChangedError(f"{found.url} is not what it was") from error
    if _bare(got.meta["e_tag"]) != found.etag:  # not every S3 knows If-Match
        raise ChangedError(f"{found.url} is not what it was")
    return got


def _save(got: "GetResult", path: Path) -> None:
    with path.open("wb") as file:
        for chunk in got.stream(min_chunk_size=CHUNK_BYTES):
            file.write(chunk)


def upload(path: Path, url: str) -> Stored:
    """The file is at `url`, whole or not at all; in parts when it is big, the same parts for the same size."""
    store, key = _locate(url)
    size = path.stat().st_size
    part = max(CHUNK_BYTES, size // MAX_PARTS + 1)
    put = obstore.put(store, key, path, chunk_size=part, max_concurrency=UPLOADED_AT_ONCE)
    return Stored(url, _bare(put["e_tag"]), size)


def write(url: str, content: bytes) -> None:
    """`content` is at `url`."""
    store, key = _locate(url)
    obstore.put(store, key, content)


def describe(url: str) -> Stored | None:
    """The object's ETag and size, or None when there is no such object."""
    store, key = _locate(url)
    try:
        return _stored(url, obstore.head(store, key))
    except FileNotFoundError:
        return None


def listing(prefix: str) -> Iterator[Stored]:
    """Every object under s3://bucket/folder or in s3://bucket, a thousand a call; the order is the server's."""
    bucket, _, folder = prefix.removeprefix("s3://").partition("/")
    for page in obstore.list(_store(bucket), prefix=folder or None):
        for meta in page:
            yield _stored(f"s3://{bucket}/{meta['path']}", meta)


def first_line(error: Exception) -> str:
    """What obstore says, without the pages of detail below."""
    return str(error).strip().partition("\n")[0]


def _locate(url: str) -> tuple[S3Store, str]:
    bucket, key = split(url)
    return _store(bucket), key


@lru_cache
def _store(bucket: str) -> S3Store:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return S3Store(
        bucket,
        client_options={
            "allow_http": endpoint.startswith("http://"),  # said by the user, on loopback as a rule
            "timeout": "12h",  # of a whole transfer: what must not stall is each read
            "read_timeout": "60s",
        },
        retry_config={
            "max_retries": int(os.environ.get("AWS_MAX_ATTEMPTS", "10")) - 1,
            "retry_timeout": timedelta(minutes=3),
        },
    )


def _stored(url: str, meta: "ObjectMeta") -> Stored:
    return Stored(url, _bare(meta["e_tag"]), meta["size"])


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')
