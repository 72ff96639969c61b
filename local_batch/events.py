"""Every state change, appended to a file in EventBridge's own form, and a reader that can follow it.

Source: https://docs.aws.amazon.com/batch/latest/userguide/batch_cwe_events.html
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from local_batch.details import changing, changing_container, fixed, fixed_container
from local_batch.job import Job, Status, Submission
from local_batch.names import ACCOUNT, arn

MAX_BYTES = 256 << 20  # then the file becomes events.jsonl.1
MAX_KEPT = 1000
ENCODER = json.JSONEncoder(separators=(",", ":"))


class EventLog:
    """The file of events. The caller holds the lock."""

    def __init__(self, path: Path, region: str) -> None:
        self._path = path
        self._region = region
        self._file = path.open("ab")
        self._kept: dict[int, tuple[str, str]] = {}

    def add(self, changes: list[tuple[Job, Status]], now: int) -> None:
        """Append these changes; there is no event for SUBMITTED, as on AWS."""
        time = _written(now // 1000)
        lines = [self._line(job, status, time) for job, status in changes if status is not Status.SUBMITTED]
        self._file.write("".join(lines).encode())
        self._file.flush()
        if self._file.tell() > MAX_BYTES:
            self._turn_over()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _line(self, job: Job, status: Status, time: str) -> str:
        """Return one event; what all children of a submission share is written once and kept."""
        shared, container = self._shared(job.submission)
        changed = _members({**changing(job, self._region), "status": status})
        placed = _members(changing_container(job, self._region))
        return (
            f'{{"version":"0","id":"{_event_id()}","detail-type":"Batch Job State Change","source":"aws.batch",'
            f'"account":"{ACCOUNT}","time":"{time}","region":"{self._region}",'
            f'"resources":["{arn(self._region, f"job/{job.id}")}"],"detail":{{{changed},{shared},'
            f'"container":{{{container}{"," if placed else ""}{placed}}}}}}}\n'
        )

    def _shared(self, asked: Submission) -> tuple[str, str]:
        kept = self._kept.get(asked.sequence)
        if kept is None:
            if len(self._kept) > MAX_KEPT:
                self._kept.clear()
            kept = _members(fixed(asked, self._region)), _members(fixed_container(asked))
            self._kept[asked.sequence] = kept
        return kept

    def _turn_over(self) -> None:
        self._file.close()
        self._path.rename(self._path.with_name(self._path.name + ".1"))
        self._file = self._path.open("ab")


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events that are in the file now."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def follow_events(path: Path, *, every_s: float = 0.2) -> Iterator[dict[str, Any]]:
    """Yield the events that are in the file, then each as it is appended; it does not end by itself."""
    path.touch()
    file = path.open("rb")
    partial = b""
    while True:
        line = file.readline()
        partial += line
        if partial.endswith(b"\n"):
            yield json.loads(partial)
            partial = b""
        elif not line:
            time.sleep(every_s)
            if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                file.close()
                file = path.open("rb")


def _members(shown: dict[str, Any]) -> str:
    return ENCODER.encode(shown)[1:-1]


@lru_cache(maxsize=1)
def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event_id() -> str:
    letters = os.urandom(16).hex()
    return f"{letters[:8]}-{letters[8:12]}-4{letters[13:16]}-a{letters[17:20]}-{letters[20:]}"
