"""`local`: the AWS Batch and S3 on this machine."""

from __future__ import annotations

import argparse
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.screen import say
from pipeline.cloud import local
from pipeline.errors import InputError, Problem

if TYPE_CHECKING:
    from pipeline.cloud.bucket import Bucket
    from pipeline.model.pipeline import Pipeline

CONCURRENT_UPLOADS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The servers on this machine were started, stopped, asked or filled."""
    actions = {
        "start": _start,
        "stop": _stop,
        "status": _status,
        "env": _env,
        "upload": _upload,
        "events": _events,
        "fault": _fault,
    }
    return actions[options.action](options)


def _start(options: argparse.Namespace) -> int:
    endpoint = local.start(options.runner)
    say(f"AWS Batch at {endpoint.batch_url}, S3 at {endpoint.s3_url}, job queue {endpoint.queue!r}")
    say(
        'next: eval "$(python main.py local env)"    # then any AWS client, such as: aws batch describe-job-queues'
    )
    return 0


def _stop(_options: argparse.Namespace) -> int:
    is_running = local.status()["running"]
    local.stop()
    say("stopped; what was running is taken up by the next start" if is_running else "it was not running")
    return 0


def _status(options: argparse.Namespace) -> int:
    status = local.status()
    if options.json:
        print(json.dumps(status))
    else:
        for name, value in status.items():
            print(f"{name}: {value}")
    return 0


def _env(_options: argparse.Namespace) -> int:
    for name, value in local.start().environment().items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _events(options: argparse.Namespace) -> int:
    for event in local.events(is_followed=options.follow):
        print(json.dumps(event), flush=True)
    return 0


def _fault(options: argparse.Namespace) -> int:
    members = dict(member.split("=", 1) for member in options.members if "=" in member)
    wrong = [member for member in options.members if "=" not in member]
    if wrong:
        raise InputError(
            Problem(f"{wrong[0]!r} is not NAME=VALUE", "local fault", "such as share=0.1 or jobs=ID,ID")
        )
    print(json.dumps(local.fault(options.name, {name: _value(name, word) for name, word in members.items()})))
    return 0


def _value(name: str, word: str) -> object:
    """A list where the member's name is a plural, a number for a share, else the word. Raises: InputError."""
    if name.endswith("s"):
        return word.split(",")
    return _share(word) if name == "share" else word


def _share(word: str) -> float:
    """A number from 0 to 1. Raises: InputError."""
    try:
        share = float(word)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(
            Problem(f"share={word} is no number from 0 to 1", "local fault", "such as share=0.1")
        )
    return share


def _upload(options: argparse.Namespace) -> int:
    from pipeline.cloud.bucket import Bucket, split_url
    from pipeline.cloud.session import Cloud, plain_errors

    folder: Path = options.folder
    name, prefix = split_url(options.url)
    if not folder.is_dir() or not options.url.startswith("s3://") or not name:
        raise InputError(
            Problem(
                f"cannot copy {str(folder)!r} to {options.url!r}",
                "local upload",
                "give a folder and s3://BUCKET/PREFIX",
            )
        )
    cloud = Cloud(local.start())
    with plain_errors(cloud.where):
        count = upload(folder, Bucket(cloud, name), prefix.strip("/"))
    say(f"{count} files are in {options.url}")
    return 0


def upload(folder: Path, bucket: Bucket, prefix: str) -> int:
    """Every file below the folder is in the bucket, streamed."""
    if not bucket.exists():
        bucket.create()
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    keys = ["/".join(filter(None, [prefix, path.relative_to(folder).as_posix()])) for path in files]
    with ThreadPoolExecutor(CONCURRENT_UPLOADS) as threads:
        list(threads.map(bucket.upload, files, keys))
    return len(files)
