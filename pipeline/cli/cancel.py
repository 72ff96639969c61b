"""`cancel`: stop a run."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.cli.screen import say

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words.add_which_run(parser)
    words.add_json(parser)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """Every job of the run was told to stop."""
    from pipeline.api.runs import cancel

    opened = words.which_run(options)
    stopped = cancel(opened)
    if options.json:
        print(json.dumps({"run": opened.run.id, "terminated": stopped or []}))
    elif stopped is None:
        say(f"{opened.run.id} has ended already; nothing was stopped")
    else:
        say(f"{opened.run.id}: {len(stopped)} jobs were told to stop")
    say(f"next: python main.py status {words.name_run(options.run, options)}")
    return 0
