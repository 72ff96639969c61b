"""A run is started, or an open one that does the same is followed; who may is decided by one conditional write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.api.place import OpenRun
from pipeline.api.prepare import Prepared
from pipeline.cloud.home import remember_run
from pipeline.cloud.run_folder import RunFolder
from pipeline.cloud.session import plain_errors
from pipeline.errors import InputError, Problem
from pipeline.follow import document
from pipeline.follow.close import close
from pipeline.follow.document import Document
from pipeline.follow.progress import describe_progress, has_ended
from pipeline.follow.survey import Survey
from pipeline.model.entry import Entry
from pipeline.model.layout import claims_of
from pipeline.model.pipeline import Per
from pipeline.model.status import RunState, Status
from pipeline.plan.plan import Plan, StepPlan, without
from pipeline.submit import claims
from pipeline.submit.claims import Claims
from pipeline.submit.launch import (
    LOOK_AGAIN_S,
    Held,
    Launch,
    claim_tree,
    find_same,
    pin,
    refuse,
    submit,
)
from pipeline.submit.submitter import adopt_found_jobs

if TYPE_CHECKING:
    from pipeline.submit.tasks import SchedulerPage

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Started:
    """The run that does what was asked for; `page` is Luigi's, None before the submit. `plan` is what it does.

    `is_followed` says that it was open already; None as `run` says that nothing has to run.
    """

    run: OpenRun | None
    plan: Plan
    is_followed: bool = False


def start(
    prepared: Prepared,
    *,
    alongside: bool = False,
    tell: Tell = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Started:
    """The run is pinned and claimed, or an open one that does the same is found. Nothing is submitted yet.

    A cancelled run that has some of the work is waited for until its jobs have stopped.

    Raises: InputError where an open run of another command holds some of the work, unless `alongside`.
    """
    launch, has_told = Launch(prepared.bucket, prepared.batch, prepared.layout), False
    with plain_errors(prepared.cloud.where):
        while True:
            look = _look(prepared)
            if not alongside and (stopping := _stopping(prepared, look)):
                if not has_told:
                    tell(f"{', '.join(stopping)} was cancelled, and its jobs are stopping: waiting for them")
                has_told = True
                sleep(LOOK_AGAIN_S)
                continue
            if prepared.plan.is_empty and not look.open_runs:
                return Started(None, prepared.plan)
            started = _start(prepared, launch, look, alongside=alongside, tell=tell)
            if started:
                return started


def _look(prepared: Prepared) -> Claims:
    """The open runs of the tree; those that have ended, or can never be submitted, are closed on the way."""
    look = claims.look(prepared.bucket, prepared.layout)
    still_open = tuple(
        folder
        for folder in look.open_runs
        if not close_if_ended(_opened(prepared, folder), datetime.now(UTC))
    )
    return Claims(still_open, look.last)


def open_run_ids(prepared: Prepared) -> list[str]:
    """The runs of the tree that are not closed; nothing is written."""
    with plain_errors(prepared.cloud.where):
        look = claims.look(prepared.bucket, prepared.layout)
        return [folder.run.id for folder in look.open_runs]


def _stopping(prepared: Prepared, look: Claims) -> list[str]:
    """The cancelled runs that have some of the work and of which a job has not stopped yet."""
    cancelled = [folder for folder in look.open_runs if folder.is_cancelled()]
    if not cancelled:
        return []
    wanted = prepared.make_run(datetime.now(UTC))
    return [
        folder.run.id
        for folder in cancelled
        if folder.run.queue_arn == wanted.queue_arn and Held.of([folder], wanted).overlaps(prepared.plan)
    ]


def _opened(prepared: Prepared, folder: RunFolder) -> OpenRun:
    return OpenRun(folder, prepared.batch, prepared.cloud)


def _start(
    prepared: Prepared, launch: Launch, look: Claims, *, alongside: bool, tell: Tell
) -> Started | None:
    """The run; None when another was started since the look."""
    plan = prepared.plan
    wanted = prepared.make_run(datetime.now(UTC))
    if same := find_same(wanted, [folder for folder in look.open_runs if not folder.is_cancelled()]):
        tell(f"this very work is running already, as {same.run.id}: following it")
        return Started(_opened(prepared, same), plan, is_followed=True)
    held = Held.of(look.open_runs, wanted)
    if held.overlaps(plan):
        if not alongside:
            raise refuse(wanted, [one for one in look.open_runs if Held.of([one], wanted).overlaps(plan)])
        plan = without(plan, set(held.samples), held.once)
        tell(_left_out(prepared.plan, plan))
        wanted = prepared.make_run(datetime.now(UTC), plan)
    if plan.is_empty:
        return Started(None, plan)
    claim_tree(launch)
    folder = pin(launch, wanted, plan, prepared.code)
    if not claims.claim(launch.bucket, launch.layout, after=look, run_id=wanted.id):
        folder.unpin()
        return None
    claims.tidy(launch.bucket, launch.layout)
    remember_run(wanted, profile=prepared.profile)
    return Started(_opened(prepared, folder), plan)


def _left_out(plan: Plan, rest: Plan) -> str:
    later = [share.step.name for share in rest.steps if share.held and share.step.per != "sample"]
    waits = f"; {', '.join(later)} waits for the next command" if later else ""
    samples = len(plan.work) - len(rest.work)
    return f"alongside: {samples} samples are left to the open run, {len(rest.work)} are done now{waits}"


def submit_run(run: OpenRun, scheduler: str, *, tell: Tell) -> SchedulerPage | None:
    """Every step of the run is in the queue, once; `scheduler` is the URL of Luigi's, empty for one in this process."""
    with plain_errors(run.cloud.where):
        return submit(run.folder, run.batch, scheduler, tell=tell)


def resume(run: OpenRun, scheduler_host: str | None, *, tell: Tell) -> SchedulerPage | None:
    """What is missing of the run is in the queue; of a cancelled one nothing is submitted any more.

    Raises: InputError where the run never got its claim on its results tree: another may have been started since.
    """
    from pipeline.submit.tasks import scheduler_url

    with plain_errors(run.cloud.where):
        run.check_place()
        _check_claim(run)
        if run.folder.is_cancelled():
            adopt_found_jobs(run.folder, run.batch)
            return None
        return submit(run.folder, run.batch, scheduler_url(scheduler_host), tell=tell)


def _check_claim(run: OpenRun) -> None:
    if not claims.has_claim(run.folder.bucket, claims_of(run.run.results), run.run.id):
        raise InputError(
            Problem(
                "the run was prepared and never started: its client was stopped just before",
                run.run.uri,
                "give the command that was to start it again; nothing of it was done",
            )
        )


def describe_submitted(run: OpenRun) -> tuple[Document, Iterator[Document]]:
    """A run that was submitted a moment ago, as its document will be; no child is asked for."""
    folder, records = run.folder, run.folder.records()
    steps = [step for step in run.run.steps if step.jobs and step.per == Per.SAMPLE]
    entries = (
        Entry(sample=sample, step=step.name, status=Status.SUBMITTED)
        for sample in folder.work()
        for step in steps
    )
    head = document.summarise(run.run, records, Survey(()), RunState.RUNNING, run.cloud.calls)
    for step in head["steps"]:
        step["counts"]["SUBMITTED"] = step["size"]
    return head, document.samples(folder.sheet().samples, document.per_sample_steps(run.run), entries)


def describe_nothing(prepared: Prepared) -> tuple[Document, Iterator[Document]]:
    """The document where nothing was submitted: `run` and `uri` are None, what stands is unchanged."""
    nothing = Plan(prepared.plan.sheet, prepared.plan.sheet.subset(()), tuple(
        StepPlan(share.step, {}, share.done) for share in prepared.plan.steps
    ))  # fmt: skip
    run = prepared.make_run(datetime.now(UTC), nothing)
    left = {share.step.name: share.todo for share in prepared.plan.steps}
    entries = (
        Entry(sample=sample, step=name, status=Status.PENDING, reason="left to an open run")
        for sample in prepared.plan.sheet.samples
        for name in document.per_sample_steps(run)
        if sample in left[name]
    )
    state = RunState.SUCCEEDED if prepared.plan.is_empty else RunState.RUNNING
    head = document.summarise(run, {}, Survey(()), state, prepared.cloud.calls)
    samples = document.samples(prepared.plan.sheet.samples, document.per_sample_steps(run), entries)
    return {**head, "run": None, "uri": None}, samples


def close_if_ended(run: OpenRun, now: datetime) -> bool:
    """Whether the run is over; one of which every job ended is closed now. It writes, so no reader calls it."""
    if run.folder.summary() is not None:
        return True
    try:
        run.check_place()
    except InputError:
        return False
    if run.folder.is_cancelled():
        adopt_found_jobs(run.folder, run.batch)
    progress = describe_progress(run.run, run.folder.records(), run.batch, now)
    if not has_ended(run.run, progress, is_cancelled=run.folder.is_cancelled()):
        return False
    close(run.folder, run.batch, now, run.cloud.calls)
    return True
