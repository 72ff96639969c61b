"""`list`: the runs that there are."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.cli.screen import say, table

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline


REMEMBERED = ("run", "bucket", "queue", "region", "profile")  # of a run that was started from this machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bucket-name", help="the runs in this bucket (default: those started from this machine)"
    )
    parser.add_argument("--queue", help="'local' when the bucket is on this machine")
    words.add_account(parser)
    words.add_json(parser)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The runs are printed, oldest first."""
    from pipeline.api.runs import list_runs

    runs = list_runs(words.place(options))
    if options.json:
        print(json.dumps(runs, indent=1))
    elif runs:
        columns = [*runs[0]] if options.bucket_name else REMEMBERED
        print(table(columns, [[found.get(column) for column in columns] for found in runs]))
    else:
        say("no runs yet")
    return 0
