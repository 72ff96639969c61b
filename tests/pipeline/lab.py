"""A lab in memory: a bucket that moto keeps, a Batch that takes every job and runs none, and the toy pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from pipeline import Pipeline
from pipeline.api.place import OpenRun, Place
from pipeline.api.prepare import Prepared, Request, prepare
from pipeline.api.start import Started, start, submit_run
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.run_folder import RunFolder
from pipeline.cloud.session import Cloud
from pipeline.cloud.stub_batch import StubBatch
from pipeline.model.entry import ONCE
from pipeline.model.layout import Layout
from pipeline.model.run import Run
from pipeline.model.sheet import SampleSheet
from pipeline.model.site import Site
from pipeline.plan.code import pack
from pipeline.plan.plan import Inventory, Plan, Version, make_plan
from pipeline.submit.jobs import Order, make_run
from pipeline.submit.submitter import Submitter
from steps.library.contract import Found, MarkerName, due, made
from tests.pipeline.examples import LAYOUT, toy

REGION, ACCOUNT = "us-east-1", "123456789012"
QUEUE_ARN = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/stub"
CREATED_AT = "2026-01-01T00:00:00+00:00"
WRITES = ("PutObject", "DeleteObject", "DeleteObjects", "CompleteMultipartUpload", "CopyObject")


def silent(_line: str) -> None:
    """Tells nobody."""


def sheet_of(names: Sequence[str]) -> SampleSheet:
    """A sheet of these samples, without columns."""
    return SampleSheet(("sample",), tuple((name,) for name in names))


def new_plan(pipeline: Pipeline, sheet: SampleSheet, layout: Layout = LAYOUT) -> Plan:
    """The plan where nothing is done yet."""
    return make_plan(
        pipeline,
        sheet,
        layout=layout,
        inventory=Inventory(),
        versions={step.name: Version("f") for step in pipeline.steps},
        read=lambda _keys: {},
    )


def plan_run(
    folder: Path, samples: int | Sequence[str], *, order: Mapping[str, Any] | None = None, **changes: object
) -> Run:
    """The run of the toy pipeline over so many new samples; `changes` are of its step b."""
    names = [f"s{number}" for number in range(samples)] if isinstance(samples, int) else samples
    pipeline = toy(folder, **changes)
    return run_of(pipeline, new_plan(pipeline, sheet_of(names)), **(order or {}))


def run_of(pipeline: Pipeline, plan: Plan, **order: Any) -> Run:
    """The run that does what the plan says."""
    given = {"run_id": "toy-1", "queue": "stub", "queue_arn": QUEUE_ARN, "created_at": CREATED_AT}
    return make_run(
        pipeline,
        plan,
        layout=LAYOUT,
        code=pack(pipeline),
        versions={step.name: Version("f") for step in pipeline.steps},
        order=Order(**{**given, "site": Site({"base": "registry/base@sha256:0"}), **order}),
    )


@dataclass
class Lab:
    """One bucket, one Batch, and commands over them as the command line would give them."""

    folder: Path
    cloud: Cloud
    bucket: Bucket
    batch: StubBatch

    def pipeline(self, **changes: object) -> Pipeline:
        """The toy, its step b changed."""
        return toy(self.folder, **changes)

    def prepare(
        self, names: Sequence[str] = ("s0", "s1", "s2"), *, text: str | None = None, **asked: Any
    ) -> Prepared:
        """What the command with this sample list asks for; the samples' inputs are in the bucket."""
        prefix = asked.get("input_prefix", "input")
        for name in names:
            if not self.bucket.has(f"{prefix}/{name}.txt"):
                self.bucket.write(f"{prefix}/{name}.txt", name.encode())
        given: dict[str, Any] = {
            "pipeline": asked.pop("pipeline", None) or self.pipeline(),
            "place": Place(queue="stub", bucket_name=self.bucket.name, region=REGION),
            "source": "samples.txt",
            "sample_list": ("\n".join(names) if text is None else text).encode(),
            "reference": "hg38",
        }
        return prepare(Request(**{**given, **asked}))

    def start(self, names: Sequence[str] = ("s0", "s1", "s2"), **asked: Any) -> Started:
        """The command got so far that its run is pinned and claimed."""
        alongside = asked.pop("alongside", False)
        return start(self.prepare(names, **asked), alongside=alongside)

    def pinned(self, names: Sequence[str] = ("s0", "s1", "s2"), **asked: Any) -> OpenRun:
        """The run of a command that got so far; nothing is submitted."""
        started = self.start(names, **asked)
        assert started.run is not None
        return started.run

    def submitted(self, names: Sequence[str] = ("s0", "s1", "s2"), **asked: Any) -> OpenRun:
        """The run of a command that was left after its submit, as with --detach."""
        run = self.pinned(names, **asked)
        submit_run(run, "", tell=silent)
        return run

    def adopt(self, run: Run, names: Sequence[str], sheet: SampleSheet | None = None) -> OpenRun:
        """A run that was made by hand, pinned over these samples."""
        folder = RunFolder(self.bucket, run.id)
        folder.pin(run, sheet or sheet_of(names), sheet_of(names))
        return OpenRun(folder, self.batch, self.cloud)

    def in_queue(
        self, names: Sequence[str] = ("s0", "s1", "s2"), pipeline: Pipeline | None = None, **order: Any
    ) -> OpenRun:
        """A run made by hand, all of whose jobs are in the queue."""
        made_now = {"created_at": datetime.now(UTC).isoformat(timespec="seconds"), **order}
        run = run_of(
            pipeline or self.pipeline(), new_plan(pipeline or self.pipeline(), sheet_of(names)), **made_now
        )
        opened = self.adopt(run, names)
        submitter = Submitter(opened.folder, self.batch)
        assert submitter.take_over()
        for step in run.steps:
            submitter.submit(step)
        return opened

    def fail(self, run: Run, step: str, child: str, reason: str) -> None:
        """The child wrote down why it failed."""
        job = RunFolder(self.bucket, run.id).record(step)
        assert job is not None
        names = list(RunFolder(self.bucket, run.id).work()) if child != ONCE else [ONCE]
        row = names.index(child)
        told = {"job_id": job.jobs[0].child_id(row), "reason": reason}
        self.bucket.write_json(run.keys.failure(step, child), told)

    def again(self, run: OpenRun) -> OpenRun:
        """The same run, as another client finds it."""
        return OpenRun(RunFolder(self.bucket, run.run.id), self.batch, self.cloud)

    def job_names(self) -> list[str]:
        """The names of the jobs that were submitted, without the run's id."""
        return [request["jobName"].split("-", 3)[-1] for request in self.batch.requests]

    def runs(self) -> list[str]:
        """The runs of which anything lies in the bucket."""
        return [name for name in self.bucket.folders("runs/") if not name.startswith("_")]

    def publish(self, run: Run, step: str, sample: str | None, *, by: str | None = None) -> None:
        """A child's output and its marker are in the bucket, left by this run or by another."""
        told = run.step(step)
        prefix = told.output.removeprefix(f"s3://{run.bucket}/") + (f"/{sample}" if sample else "")
        self.bucket.write(f"{prefix}/out.txt", b"done")
        found = self.bucket.describe(f"{prefix}/out.txt")
        assert found is not None
        files = {"out.txt": Found(found.etag, found.size)}
        name = MarkerName(None, due(told.fingerprint, {}, {}), made(files))
        content = {"files": {"out.txt": {"etag": found.etag, "size": found.size}}, "run": by or run.uri}
        self.bucket.write(f"{prefix}/{name}", json.dumps(content).encode())

    @contextmanager
    def writes(self) -> Iterator[list[int]]:
        """The list gets the number of writing calls that S3 and Batch had inside."""
        before = self._writes()
        counted: list[int] = []
        yield counted
        counted.append(self._writes() - before)

    def _writes(self) -> int:
        batch = ("SubmitJob", "TerminateJob", "RegisterJobDefinition", "DeleteConsumableResource")
        return sum(self.cloud.calls[name] for name in WRITES) + sum(self.batch.calls[name] for name in batch)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The lab, whose commands all ask its one Batch; S3 answers one request after the other, as if at one instant."""
    turn, answer = RLock(), BotocoreStubber.__call__

    def answer_alone(stubber: BotocoreStubber, *words: Any, **more: Any) -> Any:
        with turn:  # moto looks and writes in two steps where S3's conditional write is one
            return answer(stubber, *words, **more)

    monkeypatch.setattr(BotocoreStubber, "__call__", answer_alone)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(tmp_path / "home"))
    scripts = tmp_path / "toy"
    scripts.mkdir()
    with mock_aws():
        cloud = Cloud(region=REGION)
        bucket = Bucket(cloud, LAYOUT.bucket)
        bucket.create()
        batch = StubBatch()
        monkeypatch.setattr(Place, "connect", lambda _place: cloud)
        for module in ("prepare", "place", "definitions"):
            monkeypatch.setattr(f"pipeline.api.{module}.Batch", lambda _cloud: batch)
        yield Lab(scripts, cloud, bucket, batch)
