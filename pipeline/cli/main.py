"""The command line: which verb was meant, and how its errors end."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pipeline.cli import cancel, gc, images, list, local, logs, plan, resume, run, setup, status, teardown
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline

INTERRUPTED = 130


class Verb(Protocol):
    """A file of this room; it imports what it works with when it runs, so that --help is quick."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace, default: Pipeline) -> int: ...


VERBS: dict[str, tuple[Verb, str]] = {
    "run": (run, "run the pipeline over a sample list (the default)"),
    "plan": (plan, "say what run would do, and why; spends and writes nothing"),
    "status": (status, "how a run stands, by step and sample"),
    "list": (list, "the runs in a bucket, or those started from this machine"),
    "logs": (logs, "what a sample's program printed"),
    "resume": (resume, "go on with a run: submit what is missing, watch it, close it"),
    "cancel": (cancel, "stop a run"),
    "gc": (gc, "deregister a pipeline's job definitions that its steps no longer use"),
    "local": (local, "start, stop or look at the AWS Batch and S3 on this machine"),
    "setup": (setup, "make what AWS needs: queues, machines, roles, bucket"),
    "images": (images, "build and push the steps' container images"),
    "teardown": (teardown, "remove what setup made"),
}


def main(default: Pipeline, argv: Sequence[str] | None = None) -> int:
    """The exit code of one command: 0 done, 2 to 5 see README.md, 130 interrupted."""
    words = [*(sys.argv[1:] if argv is None else argv)]
    if words and words[0] not in VERBS and words[0] not in {"-h", "--help"}:
        words.insert(0, "run")
    try:
        options = parse(words)
        verb, _ = VERBS[options.verb]
        return verb.run(options, default)
    except PipelineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The verb and its options."""
    parser = argparse.ArgumentParser(
        prog="python main.py",
        description="Run a pipeline of steps over a list of samples as dependent AWS Batch array jobs.",
        epilog="Without a verb: run. Each verb has its own help: python main.py run --help",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (verb, summary) in VERBS.items():
        sub = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        verb.add_arguments(sub)
    return parser.parse_args(words)
