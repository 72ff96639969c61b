"""Which cloud and which run the words of a command mean."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pipeline.aws import Cloud, plain_errors
from pipeline.errors import InputError, Problem
from pipeline.home import recall_runs
from pipeline.local import LOCAL_QUEUE, start
from pipeline.records import Records, open_records
from pipeline.storage import split_url


def connect(queue: str | None) -> Cloud:
    """The account that boto3 finds, or the endpoint on this machine, started if need be, for `local`."""
    with plain_errors(f"job queue {queue!r}"):
        return Cloud(start() if queue == LOCAL_QUEUE else None)


def find_run(options: argparse.Namespace) -> Records:
    """The run that the words name. Raises: InputError when it cannot be found."""
    bucket, run_id = options.bucket_name, options.run
    if run_id.startswith("s3://"):
        bucket, key = split_url(run_id)
        run_id = key.removeprefix("runs/").strip("/")
    known: Mapping[str, str] = next((run for run in reversed(recall_runs()) if run["run"] == run_id), {})
    bucket = bucket or known.get("bucket")
    if not bucket:
        raise InputError(
            Problem(
                f"run {run_id!r} was not started from this machine",
                "RUN",
                "give its s3:// URI, or --bucket-name (and --queue local for a run of this machine's endpoint)",
            )
        )
    cloud = connect(options.queue or known.get("queue"))
    with plain_errors(cloud.where):
        return open_records(cloud, bucket, run_id)
