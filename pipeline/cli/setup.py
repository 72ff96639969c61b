"""`setup`: the stack is there, as the flags and answers describe it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.cli import ask, settings
from pipeline.cli.screen import say
from pipeline.cli.which_stack import add_stack_arguments, add_yes

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline
    from pipeline.stack.stack import Stack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `setup`."""
    add_stack_arguments(parser)
    add_yes(parser)
    settings.add_flags(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--print", action="store_true", help="write the CloudFormation template, and nothing else"
    )
    instead.add_argument(
        "--show", action="store_true", help="how the stack stands, and how to submit to it by hand"
    )


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The stack is as asked for, or it was printed or shown."""
    from pipeline.cloud.session import plain_errors
    from pipeline.stack.account import Account
    from pipeline.stack.stack import Stack, template

    if options.print:
        print(template(), end="")
        return 0
    account = Account(options.profile, options.region)
    with plain_errors(account.where):
        stack = Stack(account, options.stack)
        if not options.show and not _set_up(stack, options):
            return 0
        _show(stack)
        return 0


def _set_up(stack: Stack, options: argparse.Namespace) -> bool:
    """Whether the stack is as asked for; if not, the user said no, and nothing was changed."""
    from pipeline.cli import stack_words
    from pipeline.stack.cost import cost_of

    say(f"account {stack.account.id}, region {stack.account.region}, stack {stack.name}")
    parameters = _parameters(stack, options)
    change = stack.propose(parameters)
    if change is None:
        say("nothing to change: the stack is as asked for")
        return True
    say(*change.changes, "", stack_words.cost(cost_of(parameters)), "")
    if not (options.yes or ask.confirm("Go ahead?")):
        stack.discard(change)
        say("nothing was changed")
        return False
    say("working: it takes two to five minutes; the CloudFormation console shows each resource")
    stack.carry_out(change)
    return True


def _parameters(stack: Stack, options: argparse.Namespace) -> dict[str, str]:
    """A value for each of the template's parameters: typed, answered, or as it is."""
    from pipeline.stack.parameters import known_parameters, with_bucket

    known = known_parameters(stack)
    return with_bucket(stack, settings.choose(options, known, None if options.yes else ask.ask), known)


def _show(stack: Stack) -> None:
    """How the stack stands is printed. Raises: InputError where there is none."""
    from pipeline.cli import stack_words
    from pipeline.stack.deployment import Deployment, no_stack

    status = stack.status()
    if status is None:
        raise no_stack(stack.name, stack.account.where)
    values = stack.outputs()
    print(stack_words.outputs(status, values))
    if values:
        print("", stack_words.aws_cli(Deployment.of_outputs(values)), sep="\n")
        say("", f"next: python main.py images push --stack {stack.name}")
