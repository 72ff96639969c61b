"""A run's records in the bucket, and how the run stands: what `status` shows and what the ledger keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pipeline.aws import Cloud
from pipeline.batch import Batch
from pipeline.errors import InputError, Problem
from pipeline.layout import Layout, run_prefix
from pipeline.ledger import (
    ONCE,
    UNCHANGED,
    Entry,
    Matrix,
    child_ids,
    count,
    failed_samples,
    make_matrix,
)
from pipeline.model import Per, Step
from pipeline.run import Run
from pipeline.sheet import SampleSheet
from pipeline.storage import Bucket
from pipeline.watch import Progress, describe_progress

Document = dict[str, Any]  # the JSON of `status --json`


@dataclass(frozen=True)
class Records:
    """One run in its bucket, and the Batch that it runs on."""

    run: Run
    bucket: Bucket
    batch: Batch
    cloud: Cloud

    def key(self, name: str) -> str:
        return f"{self.run.prefix}/{name}"

    @cached_property
    def jobs(self) -> dict[str, Any]:
        """The job record of each step that is submitted."""
        found = {
            step.name: self.bucket.read_json(self.key(f"jobs/{step.name}.json")) for step in self.run.steps
        }
        return {name: record for name, record in found.items() if record is not None}

    @cached_property
    def sheet(self) -> SampleSheet:
        return self._read_sheet(self.run.sheet)

    @cached_property
    def work(self) -> SampleSheet:
        return self._read_sheet(self.run.work)

    def _read_sheet(self, key: str) -> SampleSheet:
        body = self.bucket.read(key)
        assert body is not None, f"{key} is pinned before anything else"
        columns, *rows = (tuple(line.split("\t")) for line in body.decode().removesuffix("\n").split("\n"))
        return SampleSheet(columns, tuple(rows))

    def ledger(self) -> Document | None:
        """How the run ended; None while it has not been closed."""
        document: Document | None = self.bucket.read_json(self.key("ledger.json"))
        return document

    def is_cancelled(self) -> bool:
        return self.bucket.has(self.key("cancelled.json"))

    def progress(self) -> dict[str, Progress]:
        return describe_progress(self.run, self.jobs, self.batch, datetime.now(UTC))

    def has_ended(self) -> bool:
        """Whether every step is submitted and every job ended."""
        progress = self.progress()
        return len(progress) == len(self.run.steps) and all(step.has_ended for step in progress.values())

    def matrix(self) -> Matrix:
        """Every child's entry, from the jobs themselves: one DescribeJobs call per hundred children."""
        rows = self.work.samples
        children = {name: child_ids(self.run_step(name), record, rows) for name, record in self.jobs.items()}
        details = self.batch.describe(job_id for ids in children.values() for job_id in ids)
        matrix = make_matrix(self.run, children, details, self._failures())
        return {name: self._with_markers(name, entries) for name, entries in matrix.items()}

    def run_step(self, name: str) -> Any:
        return {step.name: step for step in self.run.steps}[name]

    def _failures(self) -> dict[tuple[str, str], Any]:
        """What failed children wrote down of themselves, by (step, child)."""
        prefix = self.key("failures/")
        found = {}
        for item in self.bucket.objects(prefix):
            step, child, _ = item.key.removeprefix(prefix).split("/")
            found[step, child] = self.bucket.read_json(item.key)
        return found

    def _with_markers(self, name: str, entries: dict[str, Entry]) -> dict[str, Entry]:
        """The entries, as succeeded where the child's success marker is there: it outranks Batch's word."""
        return {
            child: replace(entry, status="SUCCEEDED", reason="its success marker is there")
            if entry.status in {"FAILED", "UNKNOWN"} and self._has_marker(name, child)
            else entry
            for child, entry in entries.items()
        }

    def _has_marker(self, name: str, child: str) -> bool:
        step = self.run_step(name)
        layout = Layout(self.run.bucket, self.run.pipeline, self.run.reference)
        key = layout.marker(Step(name, "", per=step.per), self.run.cohort, None if child == ONCE else child)
        marker = self.bucket.read_json(key)
        return bool(marker and marker["run"] == self.run.uri and marker["fingerprint"] == step.fingerprint)


def open_records(cloud: Cloud, bucket_name: str, run_id: str) -> Records:
    """The records of a run. Raises: InputError when there is no such run."""
    bucket = Bucket(cloud, bucket_name)
    value = bucket.read_json(f"{run_prefix(run_id)}/run.json")
    if value is None:
        raise InputError(
            Problem(
                f"there is no run {run_id!r}",
                f"s3://{bucket_name}/runs/ at {cloud.where}",
                f"see the runs: python main.py list --bucket-name {bucket_name}",
            )
        )
    return Records(Run.from_json(value), bucket, Batch(cloud), cloud)


def describe(records: Records) -> Document:
    """The run as `status --json` gives it; written down as its ledger once every job ended."""
    ledger = records.ledger()
    if ledger is not None:
        return ledger
    progress = records.progress()
    matrix = records.matrix()
    document = _document(records, progress, matrix)
    if document["state"] != "RUNNING":
        _close(records, matrix, document)
    return document


def _document(records: Records, progress: Mapping[str, Progress], matrix: Matrix) -> Document:
    run, jobs = records.run, records.jobs
    steps = [
        {
            "name": step.name,
            "per": step.per,
            "output": step.output,
            "job_ids": [job["job_id"] for job in jobs.get(step.name, {}).get("jobs", [])],
            "size": step.size,
            "unchanged": step.done,
            "counts": count(matrix.get(step.name, {}).values()),
            "reason": matrix[step.name][ONCE].reason if ONCE in matrix.get(step.name, {}) else None,
            "log": matrix[step.name][ONCE].log if ONCE in matrix.get(step.name, {}) else None,
        }
        for step in run.steps
    ]
    per_sample = [step for step in run.steps if step.per == Per.SAMPLE]
    samples = [
        {
            "sample": sample,
            "steps": {
                step.name: matrix.get(step.name, {}).get(sample, UNCHANGED).to_json() for step in per_sample
            },
        }
        for sample in records.sheet.samples
    ]
    return {
        "run": run.id,
        "uri": run.uri,
        "pipeline": run.pipeline,
        "reference": run.reference,
        "queue": run.queue,
        "state": _state(records, progress, matrix),
        "steps": steps,
        "samples": samples,
        "api_calls": dict(sorted(records.cloud.calls.items())),
    }


def _state(records: Records, progress: Mapping[str, Progress], matrix: Matrix) -> str:
    submitted = {step.name for step in records.run.steps if step.name in progress}
    if len(submitted) < len(records.run.steps) or not all(step.has_ended for step in progress.values()):
        return "RUNNING"
    if all(entry.status == "SUCCEEDED" for entries in matrix.values() for entry in entries.values()):
        return "SUCCEEDED"
    return "CANCELLED" if records.is_cancelled() else "FAILED"


def _close(records: Records, matrix: Matrix, document: Document) -> None:
    """The run's end is in the bucket: the failed samples as a sample list again, and last the ledger."""
    failed = records.sheet.subset(failed_samples(records.run, matrix))
    body = (
        failed.tsv() if len(failed.columns) > 1 else "".join(f"{name}\n" for name in failed.samples).encode()
    )
    records.bucket.write(records.key("failed.txt"), body)
    if records.run.max_parallel:
        records.batch.delete_slots(records.run.id)
    records.bucket.write_json(records.key("ledger.json"), document)
