"""A Batch behind the client's door, whose answers a test writes. Real jobs run in tests/acceptance and local_batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError


def refusal(status: int, code: str) -> ClientError:
    """What botocore raises for an answer with this status."""
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SubmitJob")


def dropped() -> ConnectionClosedError:
    """What botocore raises when the connection ends before an answer."""
    return ConnectionClosedError(endpoint_url="http://127.0.0.1")


class FakeBatch:
    """Takes every job; describes each as `details` says."""

    def __init__(self) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.details: dict[str, dict[str, Any]] = {}
        self.raises: Exception | None = None

    def register(self, _definition: Mapping[str, Any]) -> bool:
        return True

    def submit(self, request: Mapping[str, Any]) -> str:
        if self.raises:
            raise self.raises
        self.requests.append(request)
        job_id = f"id-{len(self.requests)}"
        size = request.get("arrayProperties", {}).get("size")
        array = {"arrayProperties": {"size": size, "statusSummary": {"PENDING": size}}} if size else {}
        self.details[job_id] = {"jobId": job_id, "status": "PENDING", **array}
        return job_id

    def describe(self, job_ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        return (self.details[job_id] for job_id in job_ids if job_id in self.details)
