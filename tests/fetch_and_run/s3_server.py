"""A bucket on moto's S3 server, and the environment in which a container's processes find it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "lab"


@dataclass
class Bucket:
    """An empty bucket, and its objects by their keys."""

    client: Any

    def put(self, key: str, content: bytes | str) -> None:
        self.client.put_object(
            Bucket=BUCKET, Key=key, Body=content if isinstance(content, bytes) else content.encode()
        )

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def json(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get(key))
        return found

    def listing(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return sorted(found["Key"] for page in pages for found in page.get("Contents", []))

    def upload(self, folder: Path) -> None:
        """Every file below the folder, under its path there."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.put(str(file.relative_to(folder)), file.read_bytes())


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str) -> Iterator[Bucket]:
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.create_bucket(Bucket=BUCKET)
    emptied = Bucket(client)
    yield emptied
    for key in emptied.listing():
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def environment(s3_server: str, tmp_path: Path) -> dict[str, str]:
    """What a child finds in its environment before the client's own variables."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "2",
    }
