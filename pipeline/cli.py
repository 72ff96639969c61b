"""The command line: which verb was meant, and how its errors end. Every verb is a file in `commands/`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline import arguments
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.model import Pipeline

VERBS = {
    "run": "run the pipeline over a sample list (the default)",
    "plan": "say what run would do, and why; spends nothing",
    "status": "how a run stands, by step and sample",
    "list": "the runs in a bucket, or those started from this machine",
    "logs": "what a sample's program printed",
    "cancel": "stop a run",
    "gc": "deregister a pipeline's job definitions that its steps no longer use",
    "local": "start, stop or look at the AWS Batch and S3 on this machine",
    "setup": "make what AWS needs: queues, machines, roles, bucket",
    "images": "build and push the steps' container images",
    "teardown": "remove what setup made",
}
INTERRUPTED = 130


def main(default: Pipeline, argv: Sequence[str] | None = None) -> int:
    """The exit code of one command: 0 done, 2 to 5 see README.md, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in VERBS and words[0] not in {"-h", "--help"}:
        words.insert(0, "run")
    try:
        options = parse(words)
        command = importlib.import_module(f"pipeline.commands.{options.verb}")
        return int(command.run(options, default))
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
    for verb, summary in VERBS.items():
        sub = verbs.add_parser(verb, help=summary, description=summary[0].upper() + summary[1:] + ".")
        getattr(arguments, verb)(sub)
    return parser.parse_args(words)
