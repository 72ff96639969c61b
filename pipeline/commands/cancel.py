"""`cancel`: stop a run."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from pipeline.aws import plain_errors
from pipeline.connect import find_run
from pipeline.model import Pipeline
from pipeline.records import Records
from pipeline.screen import say


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """Every job of the run was told to stop, those furthest upstream first, as Batch needs it."""
    records = find_run(options)
    with plain_errors(records.cloud.where):
        has_ended = records.ledger() is not None or records.has_ended()
        stopped = [] if has_ended else _terminate(records)
    if options.json:
        print(json.dumps({"run": records.run.id, "terminated": stopped}))
    elif has_ended:
        say(f"{records.run.id} has ended already; nothing was stopped")
    else:
        say(f"{records.run.id}: {len(stopped)} jobs were told to stop")
    say(f"next: python main.py status {records.run.id}")
    return 0


def _terminate(records: Records) -> list[str]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    records.bucket.write_json(records.key("cancelled.json"), {"cancelled_at": now})
    job_ids = [job["job_id"] for record in records.jobs.values() for job in record["jobs"]]
    for job_id in job_ids:
        records.batch.terminate(job_id, "cancelled by the user")
    return job_ids
