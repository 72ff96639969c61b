"""`teardown`: the stack and what was registered for it are gone; the bucket stays unless it is named."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.cli import ask
from pipeline.cli.screen import say
from pipeline.cli.which_stack import add_stack_arguments, add_yes
from pipeline.errors import InputError, Problem

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline
    from pipeline.stack.account import Account
    from pipeline.stack.stack import Stack
    from pipeline.stack.teardown import Removal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `teardown`."""
    add_stack_arguments(parser)
    add_yes(parser)
    parser.add_argument(
        "--delete-bucket", metavar="BUCKET", help="delete the stack's bucket too, with all inputs and results"
    )


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """Nothing of the stack is left, but for what the last lines name."""
    from pipeline.cloud.session import plain_errors
    from pipeline.stack.account import Account
    from pipeline.stack.stack import Stack

    account = Account(options.profile, options.region)
    with plain_errors(account.where):
        stack = Stack(account, options.stack)
        if stack.describe() is None:
            say(f"there is no stack {stack.name!r} in {account.where}: nothing to delete")
        else:
            _tear_down(stack, options)
    return 0


def _tear_down(stack: Stack, options: argparse.Namespace) -> None:
    from pipeline.stack.teardown import describe_removal, tear_down

    removal = describe_removal(stack)
    _check_bucket(options.delete_bucket, removal.bucket)
    _say_what_goes(stack, removal, with_bucket=bool(options.delete_bucket))
    if not (options.yes or ask.confirm("Go ahead?")):
        say("nothing was deleted")
        return
    tear_down(stack, removal)
    say(f"deleted: the stack {stack.name}")
    _end_of_bucket(stack.account, removal.bucket, is_deleted=bool(options.delete_bucket))


def _check_bucket(given: str | None, name: str) -> None:
    if given and given != name:
        fix = f"--delete-bucket {name}, or leave it out to keep the bucket"
        raise InputError(Problem(f"{given!r} is not the stack's bucket", "--delete-bucket", fix))


def _say_what_goes(stack: Stack, removal: Removal, *, with_bucket: bool) -> None:
    say(
        f"account {stack.account.id}, region {stack.account.region}, stack {stack.name}: it will be deleted with",
        f"  its queues and {removal.unfinished_jobs} jobs that have not ended",
        f"  its images, its logs and {len(removal.definitions)} job definitions",
        *([f"  the bucket {removal.bucket} and ALL THAT IS IN IT"] if with_bucket else []),
    )


def _end_of_bucket(account: Account, name: str, *, is_deleted: bool) -> None:
    from pipeline.stack import bucket

    if is_deleted:
        say(f"deleted: the bucket {name} and {bucket.delete(account, name)} objects")
    elif name and bucket.exists(account, name):
        say(
            f"left: the bucket s3://{name}, which costs storage",
            f"  to take it up again: python main.py setup --bucket {name}",
        )
    say("left: the account's role AWSServiceRoleForBatch, which costs nothing and other queues may use")
