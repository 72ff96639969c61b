"""The door to S3: one bucket, read and written whole objects at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from botocore.exceptions import ClientError

from pipeline.cloud.session import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

    from pipeline.cloud.session import Cloud

MAX_DELETED = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
AT_ONCE = 16  # requests of a kind in flight
CONFLICT_PAUSES_S = (0.2, 0.5, 1, 2)
ABSENT = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


class StoredObject(NamedTuple):
    """An object as S3 tells of it; `etag` is without quotes, `size` in bytes, `modified` as S3 wrote it."""

    key: str
    etag: str
    size: int
    modified: str

    @property
    def modified_at(self) -> datetime:
        """When it was written, by the store's clock."""
        return datetime.fromisoformat(self.modified)


class Bucket:
    """One bucket. Raises: botocore's errors, but for absence, which is None or False."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._s3 = cloud.s3
        self.name = name

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def exists(self) -> bool:
        try:
            self._s3.head_bucket(Bucket=self.name)
        except ClientError as error:
            if error_code(error) in ABSENT:
                return False
            raise
        return True

    def create(self) -> None:
        self._s3.create_bucket(Bucket=self.name)

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        """Every object under the prefix, a thousand a call, in the order of the store."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            yield [
                StoredObject(
                    found["Key"], found["ETag"].strip('"'), found["Size"], str(found["LastModified"])
                )
                for found in page.get("Contents", [])
            ]

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Every object under the prefix, in the order of the store."""
        for page in self.pages(prefix):
            yield from page

    def describe(self, key: str) -> StoredObject | None:
        """The object; None when it is absent."""
        try:
            found = self._s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error_code(error) in ABSENT:
                return None
            raise
        return StoredObject(
            key, found["ETag"].strip('"'), found["ContentLength"], found["LastModified"].isoformat()
        )

    def folders(self, prefix: str) -> list[str]:
        """The names one level below the prefix (which ends in a slash), sorted."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, Delimiter="/"
        )
        return sorted(
            found["Prefix"].removeprefix(prefix).rstrip("/")
            for page in pages
            for found in page.get("CommonPrefixes", [])
        )

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None when it is absent."""
        try:
            return self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in ABSENT:
                return None
            raise

    def read_json(self, key: str) -> Any:
        """The object, parsed; None when it is absent."""
        body = self.read(key)
        return None if body is None else json.loads(body)

    def has(self, key: str) -> bool:
        return self.describe(key) is not None

    def write(self, key: str, body: bytes) -> None:
        """The object is there, whole: S3 shows no half-written object."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=body)

    def write_new(self, key: str, body: bytes) -> bool:
        """The object is there; False where another was: of any number of writers of their own bodies one hears True.

        A request is sent again when its answer is lost, so an object of just this body counts as written.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        for pause in (*CONFLICT_PAUSES_S, None):
            try:
                self._s3.put_object(Bucket=self.name, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) == "PreconditionFailed":
                    return self.read(key) == body
                if error_code(error) != "ConditionalRequestConflict" or pause is None:
                    raise
                time.sleep(
                    pause
                )  # another's write of the same key was under way: who won is known in a moment
            else:
                return True
        raise AssertionError("the last attempt returns or raises")

    def read_all(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Each key with its object, side by side, in the order given; None for one that is absent."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from zip(keys, threads.map(self.read, keys), strict=True)

    def write_json(self, key: str, value: Any) -> None:
        self.write(key, json.dumps(value, indent=1, ensure_ascii=False).encode())

    def upload(self, file: Path, key: str) -> None:
        """The file is there, streamed in parts when it is large."""
        self._s3.upload_file(str(file), self.name, key)

    def upload_stream(self, stream: BinaryIO, key: str) -> None:
        """What the stream holds is there, in parts when it is large."""
        self._s3.upload_fileobj(stream, self.name, key)

    def download_to(self, key: str, stream: BinaryIO) -> None:
        """The object is in the stream. Raises: botocore's ClientError where it is absent."""
        self._s3.download_fileobj(self.name, key, stream)

    def delete(self, *keys: str) -> None:
        """None of the objects is there."""
        for first in range(0, len(keys), MAX_DELETED):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": key} for key in keys[first : first + MAX_DELETED]
            ]
            self._s3.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})


def split_url(url: str) -> tuple[str, str]:
    """The bucket and the key of an s3:// URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
