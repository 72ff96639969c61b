"""`status`: how a run stands."""

from __future__ import annotations

import argparse
import json
import shlex

from pipeline.aws import plain_errors
from pipeline.connect import find_run
from pipeline.model import Per, Pipeline
from pipeline.records import Document, Records, describe
from pipeline.screen import say, table

SHOWN = 20


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """The run's state is printed: counts in a few calls, whatever N is; all samples with --json or once it ended."""
    records = find_run(options)
    with plain_errors(records.cloud.where):
        if options.json or records.ledger() or records.has_ended():
            print_status(describe(records), as_json=options.json)
        else:
            _print_progress(records)
    return 0


def _print_progress(records: Records) -> None:
    print(f"{records.run.id}  RUNNING  {records.run.uri}")
    progress = records.progress()
    rows = [[step.name, step.size, progress.get(step.name, "not submitted")] for step in records.run.steps]
    print(table(["step", "children", "now"], rows))
    say(*next_words(records.run.id))


def print_status(document: Document, *, as_json: bool) -> None:
    """The run as JSON on standard output; or as a table of steps and one of what went wrong."""
    if as_json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return
    print(f"{document['run']}  {document['state']}  {document['uri']}")
    print(table(["step", "children", "now"], [_step_row(step) for step in document["steps"]]))
    troubled = _troubled(document)
    if troubled:
        print("\n" + table(["sample", "step", "exit", "tries", "reason"], troubled[:SHOWN]))
        if len(troubled) > SHOWN:
            print(f"and {len(troubled) - SHOWN} more: status {document['run']} --json shows all")
    calls = ", ".join(f"{number} {name}" for name, number in document["api_calls"].items())
    say(f"API calls: {calls}", *_next_after(document, troubled))


def _step_row(step: Document) -> list[object]:
    counts = [f"{number} {status.lower()}" for status, number in step["counts"].items() if number]
    unchanged = [f"{step['unchanged']} unchanged"] if not step["size"] else []
    return [step["name"], step["size"], ", ".join(counts + unchanged)]


def _troubled(document: Document) -> list[list[object]]:
    """What failed by itself, not what was skipped because of it."""
    once = [
        ["(all)", step["name"], None, None, step["reason"]]
        for step in document["steps"]
        if step["counts"].get("FAILED") and step["reason"]
    ]
    children = [
        [sample["sample"], name, entry["exit_code"], entry["attempts"], entry["reason"]]
        for sample in document["samples"]
        for name, entry in sample["steps"].items()
        if entry["status"] == "FAILED"
    ]
    return once + children


def _next_after(document: Document, troubled: list[list[object]]) -> list[str]:
    if document["state"] == "RUNNING":
        return next_words(document["run"])
    if troubled and troubled[0][0] != "(all)":
        sample, step = troubled[0][:2]
        return [
            f"the failed samples, as a sample list: {document['uri']}/failed.txt",
            f"next: python main.py logs {document['run']} {shell_word(str(sample))} {step}",
        ]
    outputs = [f"{step['name']}: {step['output']}/" for step in document["steps"] if step["per"] == Per.RUN]
    return [*outputs, f"next: python main.py status {document['run']} --json"]


def next_words(run_id: str) -> list[str]:
    """The commands to come back to a run, and to stop it."""
    return [f"next: python main.py status {run_id}", f"      python main.py cancel {run_id}"]


def shell_word(text: str) -> str:
    """`text` as one word of a shell command to copy."""

    return shlex.quote(text)
