"""`logs`: what a sample's program printed."""

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
    parser.add_argument("sample", metavar="SAMPLE", help="a sample's name; - for a step that runs once")
    parser.add_argument("step", metavar="STEP", nargs="?", help="one step (default: all that started)")
    words.add_json(parser, "one object a line: step, timestamp, message")


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The last attempt's log lines are printed, step by step."""
    from pipeline.api.runs import log_streams, read_log

    opened = words.which_run(options)
    for step, stream in log_streams(opened, options.sample, options.step):
        if not options.json:
            say(f"── {options.sample} {step}")
        for timestamp, message in read_log(opened, step, stream):
            line = {"step": step, "timestamp": timestamp, "message": message}
            print(json.dumps(line, ensure_ascii=False) if options.json else message)
    return 0
