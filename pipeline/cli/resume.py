"""`resume`: a run is taken up from its URI: what is missing is submitted, it is watched, and closed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.cli.follow import INTERRUPTED, follow_to_the_end, show_end
from pipeline.cli.screen import say

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words.add_which_run(parser)
    parser.add_argument("--scheduler-host", metavar="HOST", help="report to the luigid on this host")
    words.add_json(parser)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The run has ended and is closed; one that was closed before is shown."""
    from pipeline.api.runs import is_over
    from pipeline.api.start import resume

    opened, name = words.which_run(options), words.name_run(options.run, options)
    if is_over(opened):
        return show_end(opened, name, as_json=options.json)
    page = resume(opened, options.scheduler_host, tell=say)
    if not follow_to_the_end(opened, page, name):
        return INTERRUPTED
    return show_end(opened, name, as_json=options.json)
