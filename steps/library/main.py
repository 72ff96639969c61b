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
    """The step's outputs and its marker are in the bucket, or a failure record is; the process is over."""
    leave(_run(step))


def leave(exit_code: int) -> NoReturn:
    """The process is over, without Python's own end: taking down what `sh` imported would cost a child 30 ms."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def fail(error: Exception) -> int:
    """What became of a child before it came to `main` is recorded and told; the exit code that it comes to."""
    job = _job()
    return _told_failure(job, _sample(job), error) if job else 1


def exit_code_of(end: SystemExit) -> tuple[int, str]:
    """What a process ends with that ends so, and what a message says of it: sys.exit("no") is 1, and told."""
    if end.code is None:
        return 0, "0"
    if isinstance(end.code, int):
        return end.code and (end.code & 0xFF or 1), str(int(end.code))
    return 1, f"1 ({end.code})"


def _run(step: Step) -> int:
    signal.signal(signal.SIGTERM, _stop)
    job = _job()
    if not job:
        return 1
    sample = None
    try:
        sheet = Sheet.of(job)
        sample = sheet.sample(job)
        _attempt(Child(job, sheet), step)
    except Exception as error:  # noqa: BLE001 (the top of the process: what is unforeseen is recorded too)
        return _told_failure(job, sample, error)
    return 0


def _job() -> Job | None:
    """What this process is told to do; None, after saying why, where it is told nothing."""
    try:
        return Job.from_environment(os.environ)
    except KeyError as missing:
        told = f"the environment variable {missing.args[0]} is not set: a step runs as a pipeline's job"
        print(told, file=sys.stderr)
        return None


def _sample(job: Job) -> str | None:
    """The sample that the child is about, where the sheet tells it."""
    with contextlib.suppress(Failure, BaseError):
        return Sheet.of(job).sample(job)
    return None


def _told_failure(job: Job, sample: str | None, error: Exception) -> int:
    """The failure is recorded, and the last line says the same; its exit code."""
    reason, exit_code = _why(error)
    _record(job, sample, reason, exit_code)
    print(f"{job.step} failed: {reason}", file=sys.stderr)
    return exit_code


def _why(error: Exception) -> tuple[str, int]:
    """The reason in a sentence, and the exit code; of what is unforeseen, the traceback is in the log."""
    if isinstance(error, Failure):
        return error.reason, error.exit_code
    if isinstance(error, BaseError):
        return f"S3 failed: {s3.first_line(error)}", S3_UNAVAILABLE
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}", 1


def _attempt(child: Child, step: Step) -> None:
    standing = child.place.standing(child.due)
    if standing:
        print(f"unchanged: {child.place.of(standing)}")
        return
    started = time.monotonic()
    with _scratch():
        _perform(step, child)
    missing = set(child.job.outputs) - set(child.files)
    if missing:
        raise Failure(f"the step ended without publishing {', '.join(sorted(missing))}")
    child.place.retire()  # for a step that published nothing
    child.place.mark(_marker_name(child), _told(child, time.monotonic() - started))


def _perform(step: Step, child: Child) -> None:
    """The step came to its end. Raises: Failure when it ended the process instead, and whatever the step raises."""
    try:
        step(child)
    except SystemExit as end:
        exit_code, told = exit_code_of(end)
        before = "it was done" if child.files else "it published"
        reason = f"the step ended itself with exit code {told} before {before}"
        raise Failure(reason, exit_code or 1) from end


def _marker_name(child: Child) -> MarkerName:
    return child.marker_name(made(files_of({"files": child.files})))


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
