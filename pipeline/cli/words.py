"""Words that several verbs share, and what they mean."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.api.place import OpenRun, Place
    from pipeline.api.prepare import Request
    from pipeline.model.pipeline import Pipeline


def add_account(parser: argparse.ArgumentParser) -> None:
    """As whom, and in which region."""
    parser.add_argument(
        "--profile", metavar="NAME", help="profile of ~/.aws/config (default: boto3's own rules)"
    )
    parser.add_argument("--region", metavar="NAME", help="region (default: the profile's)")


def add_json(parser: argparse.ArgumentParser, what: str = "print the answer as JSON") -> None:
    parser.add_argument("--json", action="store_true", help=what)


def add_which_run(parser: argparse.ArgumentParser) -> None:
    """Which run is meant."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or its s3:// URI")
    parser.add_argument("--bucket-name", help="its bucket, when it was not started from this machine")
    parser.add_argument("--queue", help="its queue, when it was not started from this machine")
    add_account(parser)


def add_which_pipeline(parser: argparse.ArgumentParser) -> None:
    """Whose steps are meant."""
    parser.add_argument("--pipeline", type=Path, metavar="FILE", help="a Python file that defines `pipeline`")
    parser.add_argument("--pipeline-name", metavar="NAME", help="keep results under another name")


def add_what_to_run(parser: argparse.ArgumentParser) -> None:
    """What to run over what, and where."""
    parser.add_argument("--queue", required=True, help="job queue; 'local' is the one on this machine")
    parser.add_argument("--bucket-name", required=True, help="bucket of inputs and results")
    parser.add_argument(
        "--sample-list-file", required=True, metavar="FILE", help="one sample a line: a file, s3://…, or -"
    )
    parser.add_argument(
        "--reference", default="default", metavar="NAME", help="folder below reference/ (default: default)"
    )
    parser.add_argument(
        "--input-prefix", default="input", metavar="PREFIX", help="where the inputs are (default: input/)"
    )
    parser.add_argument(
        "--results-prefix", default="results", metavar="PREFIX", help="where results go (default: results/)"
    )
    add_which_pipeline(parser)
    add_account(parser)
    add_json(parser)


def place(options: argparse.Namespace) -> Place:
    """Where the words lead."""
    from pipeline.api.place import Place

    given = {name: getattr(options, name, None) for name in ("queue", "bucket_name", "profile", "region")}
    return Place(**given)


def which_run(options: argparse.Namespace) -> OpenRun:
    """The run that the words name. Raises: InputError."""
    from pipeline.api.place import open_run

    return open_run(options.run, place(options))


def name_run(run: str, options: argparse.Namespace) -> str:
    """A run's id or URI with the words that led to it, for commands that are printed: its id may be unknown here."""
    flags = (
        ("queue", "profile", "region")
        if run.startswith("s3://")
        else ("bucket_name", "queue", "profile", "region")
    )
    given = [(f"--{flag.replace('_', '-')}", getattr(options, flag)) for flag in flags]
    return shlex.join([run, *(word for flag, value in given if value for word in (flag, value))])


def which_pipeline(options: argparse.Namespace, default: Pipeline) -> Pipeline:
    """The pipeline that --pipeline and --pipeline-name mean. Raises: InputError."""
    from pipeline.plan.load import load_pipeline

    pipeline = load_pipeline(options.pipeline) if options.pipeline else default
    return replace(pipeline, name=options.pipeline_name) if options.pipeline_name else pipeline


def request(options: argparse.Namespace, default: Pipeline) -> Request:
    """What the words ask for. Raises: InputError."""
    from pipeline.api.prepare import Request

    name = options.sample_list_file
    return Request(
        pipeline=which_pipeline(options, default),
        place=place(options),
        source="standard input" if name == "-" else name,
        sample_list=None if name.startswith("s3://") else _read(name),
        reference=options.reference,
        input_prefix=options.input_prefix,
        results_prefix=options.results_prefix,
        max_parallel=getattr(options, "max_parallel", None),
    )


def _read(name: str) -> bytes:
    import sys

    from pipeline.errors import InputError, Problem

    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        what = f"the sample list cannot be read: {error.strerror}"
        fix = "give a file with one sample name a line"
        raise InputError(Problem(what, f"--sample-list-file {name}", fix)) from error
