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

from tests.fetch_and_run.s3_server import BUCKET, ROOT, Bucket, bucket, environment, s3_server

__all__ = ["bucket", "environment", "s3_server"]


@dataclass(frozen=True)
class Ended:
    """How a child ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass
class Children:
    """Runs children of a pipeline `fusion` over the reference `demo` and the samples of a pinned sheet."""

    bucket: Bucket
    temporary: Path
    sheet: list[list[str]] = field(default_factory=lambda: [["sample"], ["s1"]])
    environment: dict[str, str] = field(default_factory=dict)

    def told(
        self, step: str, *, row: int, scope: str, outputs: Sequence[str], inputs: Sequence[str]
    ) -> dict[str, str]:
        """The environment of contract with the client."""
        self.bucket.put("runs/r1/samples.tsv", "".join("\t".join(line) + "\n" for line in self.sheet))
        place = {"sample": f"results/fusion/demo/{step}", "run": f"results/fusion/demo/{step}/c0ffee"}
        return {
            "PIPELINE_RUN": f"s3://{BUCKET}/runs/r1",
            "PIPELINE_STEP": step,
            "PIPELINE_SCOPE": scope,
            "PIPELINE_SHEET": f"s3://{BUCKET}/runs/r1/samples.tsv",
            "PIPELINE_FIRST_ROW": str(row),
            "PIPELINE_INPUT": f"s3://{BUCKET}/input",
            "PIPELINE_REFERENCE": f"s3://{BUCKET}/reference/demo",
            "PIPELINE_RESULTS": f"s3://{BUCKET}/results/fusion/demo",
            "PIPELINE_OUTPUT": f"s3://{BUCKET}/{place.get(scope, 'reference/demo')}",
            "PIPELINE_ONCE": json.dumps({"join": f"s3://{BUCKET}/results/fusion/demo/join/c0ffee"}),
            "PIPELINE_FINGERPRINT": "f1",
            "PIPELINE_VCPUS": "1",
            "PIPELINE_MEMORY_MIB": "1024",
            "PIPELINE_INPUTS": json.dumps(list(inputs)),
            "PIPELINE_OUTPUTS": json.dumps(list(outputs)),
            "AWS_BATCH_JOB_ID": "job-1",
        }

    def run(
        self,
        step: str,
        *arguments: str,
        row: int = 0,
        scope: str = "sample",
        script: str | Path | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        **extra: str,
    ) -> Ended:
        """The child of that row ran to its end."""
        program = script or ROOT / "steps" / f"{step}.py"
        done = subprocess.run(
            [sys.executable, str(program), *arguments],
            env={
                **self.environment,
                **self.told(step, row=row, scope=scope, outputs=outputs, inputs=inputs),
                **extra,
            },
            cwd=self.temporary,
            capture_output=True,
            text=True,
            timeout=50,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def publish(self, step: str, files: Mapping[str, bytes], sample: str = "s1") -> None:
        """The bucket holds what a child of that step would have left."""
        place = f"results/fusion/demo/{step}/{sample}"
        made = {}
        for name, content in files.items():
            self.bucket.put(f"{place}/{name}", content)
            stored = self.bucket.client.head_object(Bucket=BUCKET, Key=f"{place}/{name}")
            made[name] = {"etag": stored["ETag"].strip('"'), "size": len(content)}
        self.bucket.put(
            f"{place}/_SUCCESS.json", json.dumps({"fingerprint": "f1", "inputs": {}, "files": made})
        )

    def marker(self, step: str, sample: str = "s1") -> dict[str, Any]:
        return self.bucket.json(f"results/fusion/demo/{step}/{sample}/_SUCCESS.json")

    def failure(self, step: str, sample: str = "s1") -> dict[str, Any]:
        return self.bucket.json(f"runs/r1/failures/{step}/{sample}/failure.json")

    def scratch(self) -> list[str]:
        """What children left in the folder for temporary files."""
        return sorted(path.name for path in self.temporary.iterdir())


@pytest.fixture
def children(bucket: Bucket, environment: dict[str, str]) -> Children:
    return Children(bucket, Path(environment["TMPDIR"]), environment=environment)
