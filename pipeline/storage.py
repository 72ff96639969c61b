"""The door to S3: one bucket, read and written whole objects at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws import error_code

if TYPE_CHECKING:
    from pipeline.aws import Cloud

ABSENT = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing tells of it; `etag` is without quotes, `size` in bytes."""

    key: str
    etag: str
    size: int


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

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Every object under the prefix, a thousand a call, in the order of the store."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                yield StoredObject(found["Key"], found["ETag"].strip('"'), found["Size"])

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
        return any(found.key == key for found in self.objects(key))

    def write(self, key: str, body: bytes) -> None:
        """The object is there, whole: S3 shows no half-written object."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=body)

    def write_json(self, key: str, value: Any) -> None:
        self.write(key, json.dumps(value, indent=1, ensure_ascii=False).encode())

    def upload(self, file: Path, key: str) -> None:
        """The file is there, streamed in parts when it is large."""
        self._s3.upload_file(str(file), self.name, key)

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=self.name, Key=key)


def split_url(url: str) -> tuple[str, str]:
    """The bucket and the key of an s3:// URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
