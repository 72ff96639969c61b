"""A bucket is a folder while a job runs, through s3fs (FUSE).

The container needs /dev/fuse and CAP_SYS_ADMIN: `privileged` in a job definition (Batch has no list of capabilities).
Source: https://github.com/s3fs-fuse/s3fs-fuse/blob/v1.90/doc/man/s3fs.1.in
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

READY_WITHIN_S = 60
KEYS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")


class MountError(Exception):
    """The bucket cannot be mounted; s3fs has said why on stderr."""


@dataclass(frozen=True)
class Mount:
    """`source` (bucket, or bucket:/prefix) at `folder`; `keys` are AWS_… variables for s3fs alone."""

    source: str
    folder: str
    writable: bool
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


def wanted(environment: Mapping[str, str]) -> list[Mount]:
    """The mounts that MOUNT_INPUT and MOUNT_OUTPUT ask for."""
    return [
        Mount(_source(environment[name]), folder, writable, _keys(environment, name))
        for name, folder, writable in (
            ("MOUNT_INPUT", "/data_in", False),
            ("MOUNT_OUTPUT", "/data_out", True),
        )
        if environment.get(name)
    ]


def _source(url: str) -> str:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise MountError(f"{url!r} is not s3://bucket or s3://bucket/prefix")
    return f"{bucket}:/{prefix.rstrip('/')}" if prefix else bucket


def _keys(environment: Mapping[str, str], name: str) -> dict[str, str]:
    found = {f"AWS_{key}": environment[f"{name}_{key}"] for key in KEYS if environment.get(f"{name}_{key}")}
    if len(found) == 1:
        raise MountError(f"{name}_ACCESS_KEY_ID and {name}_SECRET_ACCESS_KEY must be given together")
    return found


def options(mount: Mount, environment: Mapping[str, str]) -> list[str]:
    """s3fs's options: where S3 is, whose credentials, who owns the files, and that they are never left half-seen."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    chosen = [
        "dbglevel=warn",
        f"uid={os.getuid()}",
        f"gid={os.getgid()}",
        "umask=0022",
        "mp_umask=0022",
        f"endpoint={region}",
    ]
    chosen += (
        [f"url={endpoint}", "use_path_request_style"]
        if endpoint
        else [f"url=https://s3.{region}.amazonaws.com"]
    )
    if not mount.keys and "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in environment:
        chosen.append("ecs")
    if not mount.writable:
        chosen.append("ro")
    return chosen


@contextmanager
def all_mounted(environment: Mapping[str, str]) -> Iterator[None]:
    """Every bucket that the environment names is a folder inside the block. Raises: MountError."""
    with ExitStack() as mounts:
        for mount in wanted(environment):
            mounts.enter_context(mounted(mount))
        yield


@contextmanager
def mounted(mount: Mount) -> Iterator[None]:
    """`mount.folder` shows the bucket inside the block; after it, all that was written is in the bucket."""
    command = ["s3fs", mount.source, mount.folder, "-f", "-o", ",".join(options(mount, os.environ))]
    s3fs = subprocess.Popen(command, env={**os.environ, **mount.keys}, start_new_session=True)
    try:
        _wait_until_ready(mount, s3fs)
        yield
    finally:
        subprocess.run(["fusermount", "-u", mount.folder], capture_output=True, check=False)
        s3fs.wait()


def _wait_until_ready(mount: Mount, s3fs: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not os.path.ismount(mount.folder):  # Path.is_mount raises where s3fs gave up
        if s3fs.poll() is not None:
            raise MountError(f"s3fs does not mount {mount.source} at {mount.folder} (exit {s3fs.returncode})")
        if time.monotonic() > until:
            s3fs.terminate()
            raise MountError(f"s3fs has not mounted {mount.source} within {READY_WITHIN_S} s")
        time.sleep(0.02)


def fetch_and_run(arguments: Sequence[str]) -> int:
    """The exit code of fetch_and_run in a process of its own: this one is left to unmount, and forwards signals."""
    process = subprocess.Popen([sys.executable, "-m", "fetch_and_run", *arguments])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    return process.wait()
