"""Children that run as processes against moto's S3 server, as they would on Batch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from steps.library.contract import (
    ROWS_A_CHUNK,
    Found,
    Input,
    Job,
    MarkerName,
    Upstream,
    chunk_name,
    due,
    made,
    parse_marker,
)
from tests.fetch_and_run.s3_server import BUCKET, ROOT, Bucket, bucket, environment, s3_server

__all__ = ["bucket", "environment", "s3_server"]

URL = f"s3://{BUCKET}"
RESULTS = "results/fusion/demo"
COHORT = "c0ffee"
COMMAND = ROOT / "steps/library/command.py"


@dataclass(frozen=True)
class Ended:
    """How a child ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def place(step: str, scope: str) -> str:
    """The key under which a step publishes; one per sample adds the sample."""
    return {
        "sample": f"{RESULTS}/{step}",
        "run": f"{RESULTS}/{step}/{COHORT}",
        "reference": "reference/demo",
    }[scope]


def job(
    step: str,
    *,
    scope: str = "sample",
    row: int = 0,
    after: Mapping[str, str] | None = None,
    inputs: Sequence[str | Input] = (),
    **told: Any,
) -> Job:
    """A job of the pipeline `fusion` over the reference `demo`; `after` gives each step before it its scope."""
    rows = {"sample": f"{URL}/runs/r1/rows", "run": f"{URL}/runs/r1/samples.tsv", "reference": ""}
    plain: dict[str, Any] = {
        "fingerprint": "f1",
        "columns": (),
        "outputs": (),
        "vcpus": 1,
        "memory_mib": 1024,
    }
    return Job(
        run=f"{URL}/runs/r1",
        step=step,
        scope=scope,
        rows=rows[scope],
        row=row,
        input=f"{URL}/input",
        reference=f"{URL}/reference/demo",
        output=f"{URL}/{place(step, scope)}",
        after={
            name: Upstream(its_scope, f"{URL}/{place(name, its_scope)}", "f1")
            for name, its_scope in (after or {}).items()
        },
        inputs=tuple(Input(one) if isinstance(one, str) else one for one in inputs),
        **{**plain, **told},
    )


@dataclass
class Children:
    """Runs children over the samples of a pinned sheet, and shows what they left."""

    bucket: Bucket
    temporary: Path
    sheet: list[list[str]] = field(default_factory=lambda: [["sample"], ["s1"]])
    environment: dict[str, str] = field(default_factory=dict)

    def pin_sheet(self) -> None:
        """The sheet is below the run, whole and in chunks."""
        header, *rows = self.sheet
        whole = {"samples.tsv": rows}
        chunks = {
            f"rows/{chunk_name(start // ROWS_A_CHUNK)}": rows[start : start + ROWS_A_CHUNK]
            for start in range(0, len(rows), ROWS_A_CHUNK)
        }
        for name, lines in (whole | chunks).items():
            self.bucket.put(f"runs/r1/{name}", "".join("\t".join(line) + "\n" for line in [header, *lines]))

    def told(self, job: Job, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """All that the child finds in its environment."""
        return {**self.environment, **job.to_environment(), "AWS_BATCH_JOB_ID": "job-1", **(extra or {})}

    def run(
        self,
        job: Job,
        *arguments: str | Path,
        script: Path | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Ended:
        """The child ran to its end: the script, or steps/<step>.py."""
        self.pin_sheet()
        words = [sys.executable, str(script or ROOT / "steps" / f"{job.step}.py"), *map(str, arguments)]
        done = subprocess.run(
            words, env=self.told(job, extra), cwd=self.temporary, capture_output=True, text=True, timeout=50
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def publish(
        self, step: str, files: Mapping[str, bytes], sample: str = "s1", fingerprint: str = "f1"
    ) -> None:
        """The bucket holds what a child of that step would have left."""
        found = {name: self.put(f"{RESULTS}/{step}/{sample}/{name}", body) for name, body in files.items()}
        name = MarkerName(None, due(fingerprint, {}, found), made(found))
        told = {file: {"etag": one.etag, "size": one.size} for file, one in found.items()}
        for old in self.markers(f"{RESULTS}/{step}/{sample}"):
            self.bucket.put(old, b"")
        self.bucket.put(f"{RESULTS}/{step}/{sample}/{name}", json.dumps({"files": told}))

    def put(self, key: str, body: bytes | str) -> Found:
        """The object is there; as a listing tells of it."""
        self.bucket.put(key, body)
        stored = self.bucket.client.head_object(Bucket=BUCKET, Key=key)
        return Found(stored["ETag"].strip('"'), stored["ContentLength"])

    def markers(self, below: str) -> list[str]:
        """The keys of the live markers below that one."""
        pages = self.bucket.client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{below}/"
        )
        found = [found for page in pages for found in page.get("Contents", [])]
        return sorted(
            one["Key"] for one in found if one["Size"] and parse_marker(one["Key"].rpartition("/")[2])
        )

    def marker(self, step: str, below: str = "s1") -> dict[str, Any]:
        """What the only live marker of the step's child says."""
        [key] = self.markers(f"{RESULTS}/{step}/{below}")
        return self.bucket.json(key)

    def output(self, step: str, name: str, below: str = "s1") -> bytes:
        """What the step's child published under that name."""
        return self.bucket.get(f"{RESULTS}/{step}/{below}/{name}")

    def failure(self, step: str, sample: str = "s1") -> dict[str, Any]:
        return self.bucket.json(f"runs/r1/failures/{step}/{sample}/failure.json")

    def scratch(self) -> list[str]:
        """What children left in the folder for temporary files."""
        return sorted(path.name for path in self.temporary.iterdir())


@pytest.fixture
def children(bucket: Bucket, environment: dict[str, str]) -> Children:
    return Children(bucket, Path(environment["TMPDIR"]), environment=environment)
