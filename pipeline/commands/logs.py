"""`logs`: what a sample's program printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pipeline.aws import Cloud, plain_errors
from pipeline.connect import find_run
from pipeline.errors import InputError, Problem
from pipeline.model import Pipeline
from pipeline.records import Document, describe
from pipeline.run import Run
from pipeline.screen import say

DEFAULT_LOG_GROUP = "/aws/batch/job"  # https://docs.aws.amazon.com/batch/latest/userguide/job_states.html


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """The last attempt's log lines are printed, step by step."""
    records = find_run(options)
    with plain_errors(records.cloud.where):
        for step, stream in streams(describe(records), options.sample, options.step):
            if not options.json:
                say(f"── {options.sample} {step}")
            for timestamp, message in read_log(records.cloud, log_group(records.run, step), stream):
                line = {"step": step, "timestamp": timestamp, "message": message}
                print(json.dumps(line, ensure_ascii=False) if options.json else message)
    return 0


def streams(document: Document, sample: str, step: str | None) -> list[tuple[str, str]]:
    """(step, log stream) of what a sample started. Raises: InputError when there is none."""
    if sample == "-":
        found = [(entry["name"], entry["log"]) for entry in document["steps"] if entry["log"]]
    else:
        entries = next((row["steps"] for row in document["samples"] if row["sample"] == sample), None)
        if entries is None:
            raise InputError(
                Problem(
                    f"the run has no sample {sample!r}", document["uri"], "see its samples.tsv for the names"
                )
            )
        found = [(name, entry["log"]) for name, entry in entries.items() if entry["log"]]
    chosen = [(name, log) for name, log in found if step in {None, name}]
    if not chosen:
        raise InputError(
            Problem(
                f"{sample!r} has no log{f' of step {step!r}' if step else ''}: nothing of it started",
                document["uri"],
                f"see why: python main.py status {document['run']}",
            )
        )
    return chosen


def log_group(run: Run, step: str) -> str:
    """The log group that a step's definition names."""
    definition = next(found.definition for found in run.steps if found.name == step)
    options = definition["containerProperties"].get("logConfiguration", {}).get("options", {})
    return str(options.get("awslogs-group", DEFAULT_LOG_GROUP))


def read_log(cloud: Cloud, group: str, stream: str) -> Iterator[tuple[int, str]]:
    """(epoch milliseconds, line) of a log stream, from its beginning."""
    token: dict[str, Any] = {}
    while True:
        page = cloud.logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, **token
        )
        for event in page["events"]:
            yield event["timestamp"], event["message"]
        if page["nextForwardToken"] == token.get("nextToken"):
            return
        token = {"nextToken": page["nextForwardToken"]}
