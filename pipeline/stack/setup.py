"""`setup`: the stack is there, as the flags and answers describe it."""

from __future__ import annotations

import argparse

from pipeline.aws import plain_errors
from pipeline.errors import InputError, Problem
from pipeline.screen import say
from pipeline.stack import ask, bucket, cost, settings, show
from pipeline.stack.account import Account
from pipeline.stack.deployment import Deployment
from pipeline.stack.stack import Stack, template


def run(options: argparse.Namespace) -> int:
    """The stack is as asked for, or it was printed or shown."""
    if options.print:
        print(template(), end="")
        return 0
    account = Account(options.profile, options.region)
    with plain_errors(account.where):
        stack = Stack(account, options.stack)
        return _show(stack) if options.show else _set_up(stack, options)


def _set_up(stack: Stack, options: argparse.Namespace) -> int:
    say(f"account {stack.account.id}, region {stack.account.region}, stack {stack.name}")
    parameters = _parameters(stack, options)
    change = stack.propose(parameters)
    if change is None:
        say("nothing to change: the stack is as asked for")
        return _show(stack)
    say(*change.changes, "", cost.note(parameters), "")
    if not (options.yes or ask.confirm("Go ahead?")):
        stack.discard(change)
        say("nothing was changed")
        return 0
    say("working: it takes two to five minutes; the CloudFormation console shows each resource")
    stack.carry_out(change)
    return _show(stack)


def _parameters(stack: Stack, options: argparse.Namespace) -> dict[str, str]:
    now = stack.parameters()
    default_bucket = f"{stack.name}-{stack.account.id}-{stack.account.region}"
    known = {"BucketName": default_bucket, **now}
    chosen = settings.choose(options, known, None if options.yes else ask.ask)
    if chosen["BucketName"] == now.get("BucketName"):
        return {**chosen, "CreateBucket": now["CreateBucket"]}
    is_there = bucket.exists(stack.account, chosen["BucketName"])
    return {**chosen, "CreateBucket": "no" if is_there else "yes"}


def _show(stack: Stack) -> int:
    status = stack.status()
    if status is None:
        fix = f"python main.py setup --stack {stack.name}"
        raise InputError(Problem(f"there is no stack {stack.name!r}", stack.account.where, fix))
    values = stack.outputs()
    print(show.outputs(status, values))
    if values:
        print("", show.aws_cli(Deployment.of_outputs(values)), sep="\n")
        say("", f"next: python main.py images push --stack {stack.name}")
    return 0
