"""Where a command's words lead: a cloud, a bucket, a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.cloud.batch import Batch
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.home import recall_runs
from pipeline.cloud.local import LOCAL_QUEUE, start
from pipeline.cloud.run_folder import RunFolder
from pipeline.cloud.session import Cloud, plain_errors
from pipeline.errors import InputError, Problem
from pipeline.model.layout import run_of_url, url
from pipeline.model.run import Run


@dataclass(frozen=True, kw_only=True)
class Place:
    """A queue and a bucket, as whom and in which region; what is None is found by boto3's own rules, or by the run."""

    queue: str | None = None
    bucket_name: str | None = None
    profile: str | None = None
    region: str | None = None

    def connect(self) -> Cloud:
        """The account that boto3 finds, or the endpoint on this machine, started if need be, for the queue `local`."""
        with plain_errors(f"job queue {self.queue!r}"):
            if self.queue == LOCAL_QUEUE:
                return Cloud(start())
            return Cloud(profile=self.profile, region=self.region)


@dataclass(frozen=True)
class OpenRun:
    """One run in its bucket, and the Batch that it runs on."""

    folder: RunFolder
    batch: Batch
    cloud: Cloud

    @property
    def run(self) -> Run:
        return self.folder.run

    def _is_the_same(self, queue_arn: str) -> bool:
        """Whether the run's queue has that ARN; this machine's has the region that it was last started in."""
        if self.cloud.is_local:
            return self.run.queue == LOCAL_QUEUE and queue_arn.split(":")[4] == self.run.account
        return queue_arn == self.run.queue_arn

    def check_place(self) -> None:
        """The Batch that is asked is the one that the run is on. Raises: InputError.

        Asked elsewhere, Batch would know none of its jobs, and a run that goes on would look as if it were lost.
        """
        queue = self.batch.queue(self.run.queue)
        if queue is None or not self._is_the_same(queue["jobQueueArn"]):
            raise InputError(
                Problem(
                    f"the run is on another Batch: queue {self.run.queue!r} in region {self.run.region}, "
                    f"account {self.run.account}",
                    self.cloud.where,
                    f"name its region (--region {self.run.region}) and a profile of account {self.run.account} "
                    "(--profile NAME)"
                    + (
                        ", or --queue local on the machine that it was started on"
                        if _is_local(self.run)
                        else ""
                    ),
                )
            )


def _is_local(run: Run) -> bool:
    return run.queue == LOCAL_QUEUE


def open_run(name: str, place: Place) -> OpenRun:
    """The run of that id or s3:// URI. Raises: InputError when it cannot be found."""
    bucket, run_id = run_of_url(name) if name.startswith("s3://") else (place.bucket_name, name)
    known: Mapping[str, Any] = next((run for run in reversed(recall_runs()) if run["run"] == run_id), {})
    bucket = bucket or known.get("bucket")
    if not bucket:
        raise InputError(
            Problem(
                f"run {run_id!r} was not started from this machine",
                "RUN",
                "give its s3:// URI, or --bucket-name (and --queue local for a run of this machine's endpoint)",
            )
        )
    queue = place.queue or known.get("queue")
    cloud = Place(
        queue=queue,
        profile=place.profile or known.get("profile"),
        region=place.region or (None if queue == LOCAL_QUEUE else known.get("region")),
    ).connect()
    with plain_errors(cloud.where):
        folder = RunFolder(Bucket(cloud, bucket), run_id)
        if not folder.exists():
            local = f" --queue {LOCAL_QUEUE}" if cloud.is_local else ""
            fix = f"see the runs: python main.py list --bucket-name {shlex.quote(bucket)}{local}"
            raise InputError(Problem(f"there is no run {run_id!r}", url(bucket, "runs/"), fix))
        return OpenRun(folder, Batch(cloud), cloud)
