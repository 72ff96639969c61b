"""`gc`: job definitions that a pipeline's steps no longer use."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.cli.screen import say

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--queue", required=True, help="a job queue of the account; 'local' is this machine's"
    )
    words.add_which_pipeline(parser)
    words.add_account(parser)
    words.add_json(parser)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The pipeline's definitions that are not those of its steps of today take no new jobs."""
    from pipeline.api.definitions import deregister_old

    pipeline = words.which_pipeline(options, default)
    old = deregister_old(pipeline, words.place(options))
    if options.json:
        print(json.dumps(old))
    else:
        say(f"{len(old)} old job definitions of {pipeline.name!r} were deregistered")
    return 0
