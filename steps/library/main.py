"""One attempt of one child, from its environment to its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

from obstore.exceptions import BaseError

from fetch_and_run import s3
from steps.library.child import Child
from steps.library.contract import Job, MarkerName, files_of, made
from steps.library.failure import S3_UNAVAILABLE, Failure
from steps.library.sheet import Sheet

FORMAT = 2  # of a marker's content
Step = Callable[[Child], None]


def main(step: Step) -> NoReturn:
    """The step's outputs and its marker are in the bucket, or a failure record is; the process is over.

    It leaves without Python's own end: taking down what `sh` imported would cost a child 30 ms.
    """
    exit_code = _run(step)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _run(step: Step) -> int:
    signal.signal(signal.SIGTERM, _stop)
    try:
        job = Job.from_environment(os.environ)
    except KeyError as missing:
        told = f"the environment variable {missing.args[0]} is not set: a step runs as a pipeline's job"
        print(told, file=sys.stderr)
        return 1
    sample = None
    try:
        sheet = Sheet.of(job)
        sample = sheet.sample(job)
        _attempt(Child(job, sheet), step)
    except Failure as failure:
        reason, exit_code = failure.reason, failure.exit_code
    except BaseError as error:
        reason, exit_code = f"S3 failed: {s3.first_line(error)}", S3_UNAVAILABLE
    except Exception as error:  # noqa: BLE001 (the top of the process: what is unforeseen is recorded too)
        traceback.print_exc()
        reason, exit_code = f"{type(error).__name__}: {error}", 1
    else:
        return 0
    _record(job, sample, reason, exit_code)
    print(f"{job.step} failed: {reason}", file=sys.stderr)
    return exit_code


def _attempt(child: Child, step: Step) -> None:
    standing = child.place.standing(child.due)
    if standing:
        print(f"unchanged: {child.place.of(standing)}")
        return
    started = time.monotonic()
    with _scratch():
        step(child)
    missing = set(child.job.outputs) - set(child.files)
    if missing:
        raise Failure(f"the step ended without publishing {', '.join(sorted(missing))}")
    child.place.retire()  # for a step that published nothing
    child.place.mark(_marker_name(child), _told(child, time.monotonic() - started))


def _marker_name(child: Child) -> MarkerName:
    step = child.job.step if child.job.scope == "reference" else None
    return MarkerName(step, child.due, made(files_of({"files": child.files})))


def _told(child: Child, seconds: float) -> dict[str, Any]:
    """What the marker says."""
    job = child.job
    return {
        "format": FORMAT,
        "step": job.step,
        "sample": child.sample,
        "due": child.due,
        "fingerprint": job.fingerprint,
        "columns": dict(child.columns),
        "inputs": {one.url: {"etag": one.etag, "size": one.size} for one in child.inputs.pinned.values()},
        "files": child.files,
        "seconds": round(seconds, 3),
        "run": job.run,
        "job_id": job.job_id,
        "attempt": job.attempt,
        "finished_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@contextlib.contextmanager
def _scratch() -> Iterator[None]:
    """The working folder is an empty one; it is gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="child.", ignore_cleanup_errors=True) as folder:
        before = os.getcwd()  # noqa: PTH109
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _record(job: Job, sample: str | None, reason: str, exit_code: int) -> None:
    """The failure is recorded beside the run, where S3 lets us."""
    record = {
        "step": job.step,
        "sample": sample,
        "attempt": job.attempt,
        "reason": reason,
        "exit_code": exit_code,
        "job_id": job.job_id,
    }
    with contextlib.suppress(BaseError, OSError):
        s3.write(f"{job.run}/failures/{job.step}/{sample or '-'}/failure.json", json.dumps(record).encode())


def _stop(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Failure(f"stopped by signal {number}", 128 + number)
