"""`images`: see docs/aws.md."""

import argparse

from pipeline.images import command
from pipeline.model import Pipeline


def run(options: argparse.Namespace, _default: Pipeline) -> int:
    """The exit code of `images`."""
    return command.run(options)
