"""`list`: the runs that there are."""

from __future__ import annotations

import argparse
import json

from pipeline.aws import plain_errors
from pipeline.connect import connect
from pipeline.home import recall_runs
from pipeline.model import Pipeline
from pipeline.screen import say, table
from pipeline.storage import Bucket


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """The runs are printed, oldest first."""
    runs = _in_bucket(options) if options.bucket_name else [dict(known) for known in recall_runs()]
    if options.json:
        print(json.dumps(runs, indent=1))
    elif runs:
        print(table(list(runs[0]), [list(found.values()) for found in runs]))
    else:
        say("no runs yet")
    return 0


def _in_bucket(options: argparse.Namespace) -> list[dict[str, str]]:
    cloud = connect(options.queue)
    with plain_errors(cloud.where):
        bucket = Bucket(cloud, options.bucket_name)
        values = [bucket.read_json(f"runs/{name}/run.json") for name in bucket.folders("runs/")]
    fields = ("run", "created_at", "pipeline", "reference", "queue", "uri")
    found = [{field: value[field] for field in fields} for value in values if value]
    return sorted(found, key=lambda run: run["created_at"])
