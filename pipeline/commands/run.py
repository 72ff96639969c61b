"""`run`: everything from the sample list to the ledger."""

from __future__ import annotations

import argparse
import json
import time

from pipeline.aws import plain_errors
from pipeline.commands.plan import print_plan
from pipeline.commands.status import next_words, print_status
from pipeline.connect import connect
from pipeline.identity import describe_caller
from pipeline.launch import pin, submit, unfinished_run
from pipeline.local import LOCAL_QUEUE
from pipeline.model import Pipeline
from pipeline.prepare import Prepared, prepare
from pipeline.records import Document, Records, describe
from pipeline.screen import StepBars, say
from pipeline.stall import Stall, foreign_head
from pipeline.tasks import SchedulerPage
from pipeline.watch import watch

LOCAL_POLL_S = 0.4
AWS_POLL_S = 10
LOCAL_STALL_S = 5
AWS_STALL_S = 15 * 60  # machines take some minutes to come up
INTERRUPTED = 130
SAMPLES_FAILED = 5


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The run is submitted and, unless --detach, watched to its end and closed."""
    if options.queue != LOCAL_QUEUE:
        _say_who_and_where(options.queue)
    prepared = prepare(options, default)
    if options.dry_run:
        print_plan(prepared.plan, as_json=options.json)
        return 0
    with plain_errors(prepared.cloud.where):
        return _run(options, prepared)


def _say_who_and_where(queue: str) -> None:
    cloud = connect(queue)
    with plain_errors(cloud.where):
        say(describe_caller(cloud))


def _run(options: argparse.Namespace, prepared: Prepared) -> int:
    if prepared.plan.is_empty:
        return _say_nothing_to_do(prepared, as_json=options.json)
    current = unfinished_run(prepared, options.queue)
    if current:
        say(f"these samples are running already, as {current.id}: following it")
    else:
        current = pin(prepared, options.queue, options.max_parallel)
        say(f"run {current.id}", f"    {current.uri}")
    page = submit(current, prepared, options.scheduler_host)
    records = Records(current, prepared.bucket, prepared.batch, prepared.cloud)
    if options.detach:
        print(json.dumps({"run": current.id, "uri": current.uri}) if options.json else current.uri)
        say(*next_words(current.id))
        return 0
    try:
        _follow(records, page)
    except KeyboardInterrupt:
        say("", "detached: the run goes on without this terminal", *next_words(current.id))
        return INTERRUPTED
    return _finish(records, page, as_json=options.json)


def _say_nothing_to_do(prepared: Prepared, *, as_json: bool) -> int:
    plan, layout = prepared.plan, prepared.layout
    say(
        f"nothing to do: every result of {len(plan.sheet)} samples stands, nothing was recomputed",
        f"results: {layout.url(layout.results)}/",
    )
    if as_json:
        print_plan(plan, as_json=True)
    return 0


def _follow(records: Records, page: SchedulerPage) -> None:
    """Every job ended; bars on the terminal and the scheduler's page showed how far they were."""
    run = records.run
    bars = StepBars({step.name: step.size for step in run.steps})
    urls = _console_urls(records)
    stall = Stall(LOCAL_STALL_S if records.cloud.is_local else AWS_STALL_S, time.monotonic)
    poll_every_s = LOCAL_POLL_S if records.cloud.is_local else AWS_POLL_S
    try:
        for progress in watch(run, records.jobs, records.batch, poll_every_s=poll_every_s, sleep=time.sleep):
            bars.show(progress)
            page.show_all(progress, urls)
            for step in stall.notice(progress):
                bars.say(*_explain_stall(records, step))
    finally:
        bars.stop()


def _explain_stall(records: Records, step: str) -> list[str]:
    ids = {job["job_id"] for record in records.jobs.values() for job in record["jobs"]}
    head = foreign_head(records.batch.head_of_queue(records.run.queue), ids)
    reasons = {records.batch.waiting_reason(job["job_id"]) for job in records.jobs[step]["jobs"]} - {""}
    return [
        f"step {step!r} is ready, and none of its children has started",
        *(f"  Batch says: {reason}" for reason in sorted(reasons)),
        *([f"  before it in the queue is a job of another run: {head}"] if head else []),
        f"  it asks for {records.run_step(step).memory_mib} MiB a child; the queue is {records.run.queue!r}",
    ]


def _console_urls(records: Records) -> dict[str, str]:
    """The page of each step's first job in the AWS console; none on this machine."""
    region = records.cloud.region
    if records.cloud.is_local:
        return {}
    return {
        name: f"https://{region}.console.aws.amazon.com/batch/home?region={region}#jobs/detail/{record['jobs'][0]['job_id']}"
        for name, record in records.jobs.items()
        if record["jobs"]
    }


def _finish(records: Records, page: SchedulerPage, *, as_json: bool) -> int:
    document: Document = describe(records)
    page.end_all({step["name"]: step["counts"] for step in document["steps"]})
    print_status(document, as_json=as_json)
    return 0 if document["state"] == "SUCCEEDED" else SAMPLES_FAILED
