"""The words of `setup` and `teardown`; what carries them out is imported when one is meant."""

from __future__ import annotations

import argparse

from pipeline.stack import settings

DEFAULT_STACK = "batch-pipeline"


def add_setup_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `setup`."""
    add_stack_arguments(parser)
    _add_yes(parser)
    settings.add_flags(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--print", action="store_true", help="write the CloudFormation template, and nothing else"
    )
    instead.add_argument(
        "--show", action="store_true", help="how the stack stands, and how to submit to it by hand"
    )


def add_teardown_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `teardown`."""
    add_stack_arguments(parser)
    _add_yes(parser)
    parser.add_argument(
        "--delete-bucket", metavar="BUCKET", help="delete the stack's bucket too, with all inputs and results"
    )


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """Which stack, in which account."""
    parser.add_argument(
        "--stack", default=DEFAULT_STACK, metavar="NAME", help=f"its name (default: {DEFAULT_STACK})"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="profile of ~/.aws/config (default: boto3's own rules)"
    )
    parser.add_argument("--region", metavar="NAME", help="region (default: the profile's)")


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: take flags and defaults, and go ahead"
    )


def run_setup(options: argparse.Namespace) -> int:
    """The stack is there as the flags and answers describe it."""
    from pipeline.stack import setup

    return setup.run(options)


def run_teardown(options: argparse.Namespace) -> int:
    """The stack is gone."""
    from pipeline.stack import teardown

    return teardown.run(options)
