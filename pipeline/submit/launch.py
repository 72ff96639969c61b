"""Starting a run: pinned in the bucket, claimed by one conditional write, then submitted; or an open one taken up."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cloud.batch import Batch
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.run_folder import RunFolder
from pipeline.errors import InputError, Problem, RefusedError
from pipeline.model.layout import Layout, code_key
from pipeline.model.pipeline import Per
from pipeline.model.run import Run
from pipeline.plan.code import Code
from pipeline.plan.plan import Plan
from pipeline.submit.differences import differences
from pipeline.submit.submitter import LostTurnError, Submitter, terminate

if TYPE_CHECKING:
    from pipeline.submit.tasks import SchedulerPage

LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Launch:
    """The doors through which runs of one results tree are started."""

    bucket: Bucket
    batch: Batch
    layout: Layout


def new_run_id(pipeline: str, now: datetime) -> str:
    """A name for a run: which pipeline, when, and eight digits against another of the same second."""
    return f"{pipeline}-{now:%Y%m%dt%H%M%S}-{secrets.token_hex(4)}"


def claim_tree(launch: Launch) -> None:
    """The results tree belongs to this input place. Raises: InputError where it belongs to another."""
    record = json.dumps({"input": launch.layout.input_url}).encode()
    if not launch.bucket.write_new(launch.layout.tree_record, record):
        check_tree(launch.bucket, launch.layout)


def check_tree(bucket: Bucket, layout: Layout) -> None:
    """No other input place has this results tree. Raises: InputError."""
    found = bucket.read_json(layout.tree_record)
    if found and found["input"] != layout.input_url:
        raise InputError(
            Problem(
                f"these results are of the inputs in {found['input']}, not of those in {layout.input_url}",
                layout.url(layout.results) + "/",
                "keep both apart: give --results-prefix or --pipeline-name a name of their own, "
                "or correct --input-prefix",
            )
        )


def pin(launch: Launch, run: Run, plan: Plan, code: Code) -> RunFolder:
    """Code, sheet and rows are in the bucket, and last the run."""
    bucket = launch.bucket
    for sha256, body in code.zips.items():
        if not bucket.has(code_key(sha256)):
            bucket.write(code_key(sha256), body)
    folder = RunFolder(bucket, run.id)
    folder.pin(run, plan.sheet, plan.work)
    return folder


def find_same(wanted: Run, open_runs: Iterable[RunFolder]) -> RunFolder | None:
    """The open run that does just what is wanted; None when there is none."""
    return next((folder for folder in open_runs if not differences(wanted, folder.run)), None)


@dataclass(frozen=True)
class Held:
    """What open runs have: samples, and steps that run once."""

    samples: frozenset[str]
    once: frozenset[str]

    @classmethod
    def of(cls, open_runs: Iterable[RunFolder], wanted: Run) -> Held:
        """What these runs have of what is wanted; a step of the whole run is another one over another cohort."""
        open_runs = tuple(open_runs)
        outputs = {step.name: step.output for step in wanted.steps}
        samples = {sample for folder in open_runs for sample in _samples_of(folder)}
        once = {
            step.name
            for folder in open_runs
            for step in folder.run.steps
            if (step.jobs and step.per == Per.RUN) or step.per == Per.REFERENCE  # which its children read
            if outputs.get(step.name) == step.output
        }
        return cls(frozenset(samples), frozenset(once))

    def overlaps(self, plan: Plan) -> bool:
        """Whether a plan has to do something that these runs have, or that reads it."""
        is_over_theirs = not self.samples.isdisjoint(plan.sheet.samples)
        return any(
            not self.samples.isdisjoint(name for name in share.todo if name)
            if share.step.per == Per.SAMPLE
            else share.step.name in self.once or (share.step.per == Per.RUN and is_over_theirs)
            for share in plan.steps
            if share.todo
        )


def _samples_of(folder: RunFolder) -> Iterable[str]:
    """The samples that a run makes results of, or reads in a step of the whole run."""
    scopes = {step.per for step in folder.run.steps if step.jobs}
    if Per.RUN in scopes:
        return folder.sheet().samples
    return folder.work() if Per.SAMPLE in scopes else ()


def refuse(wanted: Run, open_runs: Iterable[RunFolder]) -> InputError:
    """The error that says what tells the wanted run from the open ones, and the ways out."""
    return InputError(
        [
            Problem(
                f"run {folder.run.id} is open and has some of these samples, and this command is another one:\n    "
                + "\n    ".join(differences(wanted, folder.run)),
                folder.run.uri,
                "wait for it, or where its client is gone go on with it:\n"
                f"         python main.py resume {folder.run.uri}\n"
                f"         or stop it: python main.py cancel {folder.run.uri}\n"
                "         or do now what it does not hold: the same command with --alongside",
            )
            for folder in open_runs
        ]
    )


def submit(
    folder: RunFolder,
    batch: Batch,
    scheduler: str,
    *,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> SchedulerPage | None:
    """Every step is in the queue, once, by this client or by another that does it at the same time.

    The page of Luigi's scheduler is this client's to keep; None when another client submitted.

    Raises: RefusedError when the run is cancelled.
    """
    from pipeline.submit.tasks import (
        submit_through_luigi,  # late: Luigi takes 0.3 s, and often nothing is submitted
    )

    submitter, has_told = Submitter(folder, batch), False
    while not submitter.is_done():
        if folder.is_cancelled():
            raise _was_cancelled(folder)
        if submitter.try_to_begin(datetime.now(UTC)):
            try:
                return _submit(submitter, batch, scheduler)
            except LostTurnError:
                if folder.is_cancelled():
                    terminate(folder, batch)
        elif not has_told:
            tell("another client submits this run just now: waiting for it")
            has_told = True
        sleep(LOOK_AGAIN_S)
    return submit_through_luigi(folder.run, submitter, scheduler)  # nothing is left: for its page only


def _submit(submitter: Submitter, batch: Batch, scheduler: str) -> SchedulerPage:
    from pipeline.submit.tasks import submit_through_luigi

    run = submitter.run
    if run.max_parallel:
        batch.create_slots(run.id, run.max_parallel)
    page = submit_through_luigi(run, submitter, scheduler)
    if submitter.folder.is_cancelled():
        terminate(submitter.folder, batch)
    return page


def _was_cancelled(folder: RunFolder) -> RefusedError:
    return RefusedError(
        Problem(
            "the run was cancelled",
            folder.run.uri,
            f"see what it did: python main.py status {folder.run.uri}",
        )
    )
