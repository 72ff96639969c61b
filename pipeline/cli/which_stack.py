"""The words that say which stack is meant, in which account: shared by `setup`, `teardown` and `images push`."""

from __future__ import annotations

import argparse

DEFAULT_STACK = "batch-pipeline"


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """The parser takes --stack, --profile and --region."""
    parser.add_argument(
        "--stack", default=DEFAULT_STACK, metavar="NAME", help=f"its name (default: {DEFAULT_STACK})"
    )
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="profile of ~/.aws/config, whatever keys are exported (default: boto3's own rules)",
    )
    parser.add_argument("--region", metavar="NAME", help="region (default: the profile's)")


def add_yes(parser: argparse.ArgumentParser) -> None:
    """The parser takes --yes."""
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: take flags and defaults, and go ahead"
    )
