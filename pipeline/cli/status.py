"""`status`: how a run stands. It writes nothing anywhere."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.cli import words
from pipeline.cli.screen import say, table
from pipeline.model.entry import ONCE

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline

Document = dict[str, Any]
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words.add_which_run(parser)
    words.add_json(parser, "every step of every sample, as JSON")
    parser.add_argument("--summary", action="store_true", help="with --json: counts by step, no samples")


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The run's state is printed: counts in a few calls, whatever N is; with --json all samples too."""
    from pipeline.api import runs

    opened = words.which_run(options)
    if options.json and not options.summary:
        print_json(*runs.describe(opened))
        return 0
    document = runs.glance(opened)
    if options.json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        print_status(document, words.name_run(options.run, options))
    return 0


def print_json(head: Document, samples: Iterator[Document]) -> None:
    """The run as one JSON document; its samples one after the other, so that any number fits."""
    write = sys.stdout.write
    write(json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}") + ',\n "samples": [')
    for number, sample in enumerate(samples):
        write(("," if number else "") + "\n  " + json.dumps(sample, ensure_ascii=False))
    write("\n ]\n}\n")


def print_status(document: Document, run: str) -> None:
    """A table of steps, and one of what went wrong by itself, not of what was skipped because of it.

    `run` is what the run is called in the commands that come next.
    """
    print(f"{document['run']}  {document['state']}  {document['uri']}")
    print(table(["step", "children", "now"], [_step_row(step) for step in document["steps"]]))
    failures = document.get("failures", {})
    shown = failures.get("first", [])[:SHOWN]
    if shown:
        rows = [
            [one["sample"], one["step"], one["exit_code"], one["attempts"], one["reason"]] for one in shown
        ]
        print("\n" + table(["sample", "step", "exit", "tries", "reason"], rows))
        if failures.get("total", 0) > len(shown):
            print(f"and {failures['total'] - len(shown)} more: status {document['run']} --json shows all")
    calls = ", ".join(f"{number} {name}" for name, number in document["api_calls"].items())
    say(f"API calls: {calls}", *_next_after(document, shown, run))


def _step_row(step: Document) -> list[object]:
    if not step["size"]:
        return [step["name"], 0, f"{step['unchanged']} unchanged" if step["unchanged"] else "left for later"]
    counts = [f"{number} {status.lower()}" for status, number in step["counts"].items() if number]
    return [step["name"], step["size"], ", ".join(counts) or "not submitted"]


def _next_after(document: Document, failures: list[Document], run: str) -> list[str]:
    if document["state"] == "RUNNING":
        is_whole = all(step["job_ids"] or not step["size"] for step in document["steps"])
        return next_words(run) if is_whole else half_submitted_words(run)
    if not document.get("is_closed", True):
        return [f"next: python main.py resume {run}    # writes down how it ended"]
    if failures:
        with_log = [one for one in failures if one["log"]]
        some_failed = document["sample_counts"].get("failed", 0)
        listed = (
            [f"the failed samples, as a sample list: {document['uri']}/failed.txt"] if some_failed else []
        )
        return [
            *listed,
            f"next: python main.py {_logs(run, with_log[0]) if with_log else f'status {run} --json'}",
        ]
    outputs = [
        f"{step['name']}: {step['output']}/"
        for step in document["steps"]
        if step["per"] == "run" and (step["counts"]["SUCCEEDED"] or step["unchanged"])
    ]
    return [*outputs, f"next: python main.py status {run} --json"]


def _logs(run: str, failure: Document) -> str:
    sample = failure["sample"]
    is_like_a_flag = sample.startswith("-") and sample != ONCE
    return f"logs {run} {'-- ' if is_like_a_flag else ''}{shlex.quote(sample)} {failure['step']}"


def half_submitted_words(run: str) -> list[str]:
    """The commands for a run of which not all is submitted: no step that is missing starts by itself."""
    return [
        "not all of it is submitted; where its client is gone, nobody goes on with it",
        f"next: python main.py resume {run}    # submits what is missing, and watches it",
        f"      python main.py cancel {run}",
    ]


def next_words(run: str) -> list[str]:
    """The commands to come back to a run, to wait for its end, and to stop it."""
    return [
        f"next: python main.py status {run}",
        f"      python main.py resume {run}    # watches it to its end",
        f"      python main.py cancel {run}",
    ]
