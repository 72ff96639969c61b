"""`local`: the AWS Batch and S3 on this machine."""

from __future__ import annotations

import argparse
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline import local
from pipeline.aws import Cloud, plain_errors
from pipeline.errors import InputError, Problem
from pipeline.model import Pipeline
from pipeline.screen import say
from pipeline.storage import Bucket, split_url

CONCURRENT_UPLOADS = 4


def run(options: argparse.Namespace, _default: Pipeline) -> int:
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
        'next: eval "$(python main.py local env)"  then any AWS client, such as: aws batch describe-job-queues'
    )
    return 0


def _stop(_options: argparse.Namespace) -> int:
    local.stop()
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
    """A list where the member's name is a plural, a number for a share, else the word."""
    if name.endswith("s"):
        return word.split(",")
    return float(word) if name == "share" else word


def _upload(options: argparse.Namespace) -> int:
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
