"""Every word of the command line; nothing heavy is imported before it is understood."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.images import command as container_images
from pipeline.stack import command as stack


def run(parser: argparse.ArgumentParser) -> None:
    _plan(parser)
    parser.add_argument("--detach", action="store_true", help="submit, print the run's URI, and leave")
    parser.add_argument("--dry-run", action="store_true", help="the same as the verb plan")
    parser.add_argument(
        "--max-parallel", type=_positive, metavar="N", help="at most N children run at a time"
    )
    parser.add_argument("--scheduler-host", metavar="HOST", help="report to the luigid on this host")


def plan(parser: argparse.ArgumentParser) -> None:
    _plan(parser)


def status(parser: argparse.ArgumentParser) -> None:
    _which_run(parser)
    parser.add_argument("--json", action="store_true", help="every step of every sample, as JSON")


def list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bucket-name", help="the runs in this bucket (default: those started from this machine)"
    )
    parser.add_argument("--queue", help="'local' when the bucket is on this machine")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def logs(parser: argparse.ArgumentParser) -> None:
    _which_run(parser)
    parser.add_argument("sample", metavar="SAMPLE", help="a sample's name; - for a step that runs once")
    parser.add_argument("step", metavar="STEP", nargs="?", help="one step (default: all that started)")
    parser.add_argument("--json", action="store_true", help="one object a line: step, timestamp, message")


def cancel(parser: argparse.ArgumentParser) -> None:
    _which_run(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def gc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--queue", required=True, help="a job queue of the account; 'local' is this machine's"
    )
    _which_pipeline(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def local(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = actions.add_parser("start", help="start both servers, unless they run")
    start.add_argument(
        "--runner",
        choices=["process", "container", "auto"],
        default="auto",
        help="how jobs run; auto (default): in a container where an engine has the image, else as a process",
    )
    actions.add_parser("stop", help="stop both servers; jobs that run are retried at the next start")
    status = actions.add_parser("status", help="where they are, and whether they run")
    status.add_argument("--json", action="store_true", help="print the answer as JSON")
    actions.add_parser("env", help='shell lines that point any AWS client there: eval "$(… local env)"')
    events = actions.add_parser(
        "events", help="what happened to the jobs, in EventBridge's form, a line each"
    )
    events.add_argument("--follow", action="store_true", help="and what happens next")
    fault = actions.add_parser(
        "fault", help="make something go wrong, as it does on AWS: docs/local-batch.md"
    )
    fault.add_argument(
        "name", choices=["throttle", "reclaim", "lose-host", "forget", "image-pull", "slow-s3", "clear"]
    )
    fault.add_argument("members", nargs="*", metavar="NAME=VALUE", help="such as share=0.1 or jobs=ID,ID")
    upload = actions.add_parser("upload", help="copy a folder into a bucket, made if absent")
    upload.add_argument("folder", type=Path, metavar="FOLDER")
    upload.add_argument("url", metavar="s3://BUCKET/PREFIX")


def setup(parser: argparse.ArgumentParser) -> None:
    stack.add_setup_arguments(parser)


def teardown(parser: argparse.ArgumentParser) -> None:
    stack.add_teardown_arguments(parser)


def images(parser: argparse.ArgumentParser) -> None:
    container_images.add_arguments(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    """What to run over what: shared by `run` and `plan`."""
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
    _which_pipeline(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _which_pipeline(parser: argparse.ArgumentParser) -> None:
    """Whose steps are meant: shared by `run`, `plan` and `gc`."""
    parser.add_argument("--pipeline", type=Path, metavar="FILE", help="a Python file that defines `pipeline`")
    parser.add_argument("--pipeline-name", metavar="NAME", help="keep results under another name")


def _which_run(parser: argparse.ArgumentParser) -> None:
    """Which run is meant: shared by `status`, `logs` and `cancel`."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or its s3:// URI")
    parser.add_argument("--bucket-name", help="its bucket, when it was not started from this machine")
    parser.add_argument("--queue", help="its queue, when it was not started from this machine")


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is below 1")
    return number
