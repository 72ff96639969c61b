"""A run on the screen: bars while it goes on, what Batch says when nothing starts, and how it ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cli.screen import StepBars, say
from pipeline.cli.status import next_words, print_json, print_status
from pipeline.errors import UnreachableError

if TYPE_CHECKING:
    from pipeline.api.place import OpenRun
    from pipeline.submit.tasks import SchedulerPage

LOCAL_POLL_S = 0.4
AWS_POLL_S = 10
LOCAL_STALL_S = 5
AWS_STALL_S = 15 * 60  # machines take some minutes to come up
INTERRUPTED = 130
SAMPLES_FAILED = 5


def follow_to_the_end(run: OpenRun, page: SchedulerPage | None, name: str) -> bool:
    """The run was watched to its end and closed; False where Ctrl-C left it to itself.

    `name` is what it is called in the commands that come next.
    """
    from pipeline.api import runs

    try:
        _watch(run, page)
    except KeyboardInterrupt:
        say("", "detached: the run goes on without this terminal", *next_words(name))
        return False
    except UnreachableError:
        say("", "the run is safe: its jobs go on, or wait for the endpoint", *next_words(name), "")
        raise
    document = runs.finish(run)
    if page:
        page.end_all({step["name"]: step["counts"] for step in document["steps"]})
    return True


def show_end(run: OpenRun, name: str, *, as_json: bool) -> int:
    """The end of a closed run is printed; the exit code that it stands for."""
    from pipeline.api import runs

    document = runs.glance(run)
    if as_json:
        print_json(*runs.describe(run))
    else:
        print_status(document, name)
    return 0 if document["state"] == "SUCCEEDED" else SAMPLES_FAILED


def _watch(run: OpenRun, page: SchedulerPage | None) -> None:
    """Every job ended; bars on the terminal and the scheduler's page showed how far they were."""
    from pipeline.api import runs
    from pipeline.cloud.session import plain_errors
    from pipeline.follow.progress import watch
    from pipeline.follow.stall import Stall

    bars = StepBars({step.name: step.size for step in run.run.steps})
    urls = _console_urls(run)
    stall = Stall(LOCAL_STALL_S if run.cloud.is_local else AWS_STALL_S, time.monotonic)
    poll_every_s = LOCAL_POLL_S if run.cloud.is_local else AWS_POLL_S
    try:
        with plain_errors(run.cloud.where):
            looks = watch(
                lambda: runs.progress(run, datetime.now(UTC)), poll_every_s=poll_every_s, sleep=time.sleep
            )
            for progress in looks:
                bars.show(progress)
                if page:
                    page.show_all(progress, urls)
                for step in stall.notice(progress):
                    bars.say(*_explain_stall(run, step))
    finally:
        bars.stop()


def _explain_stall(run: OpenRun, step: str) -> list[str]:
    from pipeline.follow.stall import foreign_head

    records = run.folder.records()
    ids = {job.job_id for record in records.values() for job in record.jobs}
    head = foreign_head(run.batch.head_of_queue(run.run.queue), ids)
    reasons = {run.batch.waiting_reason(job.job_id) for job in records[step].jobs} - {""}
    memory_mib = run.run.step(step).memory_mib
    return [
        f"step {step!r} is ready, and none of its children has started",
        *(f"  Batch says: {reason}" for reason in sorted(reasons)),
        *([f"  before it in the queue is a job of another run: {head}"] if head else []),
        f"  it asks for {memory_mib} MiB a child; the queue is {run.run.queue!r}",
    ]


def _console_urls(run: OpenRun) -> dict[str, str]:
    """The page of each step's first job in the AWS console; none on this machine."""
    if run.cloud.is_local:
        return {}
    page = f"https://{run.run.region}.console.aws.amazon.com/batch/home?region={run.run.region}#jobs/detail"
    return {
        name: f"{page}/{record.jobs[0].job_id}"
        for name, record in run.folder.records().items()
        if record.jobs
    }
