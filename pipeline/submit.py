"""Submitting a run: definitions first, then every step's jobs, each recorded in the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.batch import Batch
from pipeline.jobs import submit_request
from pipeline.layout import job_record
from pipeline.run import Run, RunStep
from pipeline.storage import Bucket


class Submitter:
    """Submits one run's steps, in order; going on where an earlier attempt was cut off is the same as starting."""

    def __init__(self, run: Run, batch: Batch, bucket: Bucket) -> None:
        self.run = run
        self._batch = batch
        self._bucket = bucket
        self._records: dict[str, Any] = {}

    def record(self, step: str) -> Mapping[str, Any] | None:
        """The step's job record; None when it is not submitted yet."""
        if step not in self._records:
            found = self._bucket.read_json(job_record(self.run.id, step))
            if found is not None:
                self._records[step] = found
        return self._records.get(step)

    def submit(self, step: RunStep) -> None:
        """The step's jobs are in the queue, once each, and its record is in the bucket."""
        job_ids = {
            name: job_id for upstream in step.after for name, job_id in self._job_ids(upstream).items()
        }
        if step.jobs:
            self._batch.register(step.definition)
        jobs = [
            {
                "job_id": self._batch.submit(submit_request(self.run, step, job, job_ids)),
                "job_name": job.name,
                "size": job.size,
                "first_row": job.first_row,
            }
            for job in step.jobs
        ]
        record = {"step": step.name, "jobs": jobs}
        self._bucket.write_json(job_record(self.run.id, step.name), record)
        self._records[step.name] = record

    def _job_ids(self, step: str) -> dict[str, str]:
        record = self.record(step)
        assert record is not None, "Luigi submits a step after those that it requires"
        return {job["job_name"]: job["job_id"] for job in record["jobs"]}
