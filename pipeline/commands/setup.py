"""`setup`: see docs/aws.md."""

import argparse

from pipeline.model import Pipeline
from pipeline.stack import command


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """The exit code of `setup`."""
    return command.run_setup(options)
