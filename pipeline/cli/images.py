"""`images`: the steps' container images are built, or pushed to the stack's repository."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.cli.screen import say
from pipeline.cli.which_stack import add_stack_arguments

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `images build` and `images push`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = actions.add_parser("build", help="build the images on this machine, unless they are there")
    push = actions.add_parser("push", help="build them, and push those that the stack's repository lacks")
    for action in (build, push):
        action.add_argument("names", nargs="*", metavar="NAME", help="folders of dockerfiles/ (default: all)")
        action.add_argument(
            "--engine", metavar="PROGRAM", help="docker or podman (default: the first there is)"
        )
    build.add_argument("--architecture", choices=["x86_64", "arm64"], help="default: this machine's")
    add_stack_arguments(push)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The images are built, or pushed; each one's name is a line on stdout."""
    return _build(options) if options.action == "build" else _push(options)


def _build(options: argparse.Namespace) -> int:
    from pipeline.images.engine import Engine, architecture_here
    from pipeline.images.image import find

    engine = Engine(options.engine)
    for image in find(options.names, options.architecture or architecture_here()):
        engine.ensure(image, tell=say)
        print(image.reference)
    return 0


def _push(options: argparse.Namespace) -> int:
    from pipeline.cloud.session import plain_errors
    from pipeline.images.image import find
    from pipeline.images.push import push
    from pipeline.images.registry import Repository
    from pipeline.stack.account import Account
    from pipeline.stack.deployment import of_stack

    account = Account(options.profile, options.region)
    with plain_errors(account.where):
        deployment = of_stack(account.cloudformation, options.stack)
        images = find(options.names, deployment.architecture)
        repository = Repository(account.ecr, deployment.repository_uri)
        for reference in push(repository, images, program=options.engine, tell=say):
            print(reference)
    return 0
