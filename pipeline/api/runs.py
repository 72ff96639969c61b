"""What can be asked of a run, and done to it. Asking writes nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline.api.place import OpenRun, Place
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.home import recall_runs
from pipeline.cloud.session import plain_errors
from pipeline.errors import InputError, Problem
from pipeline.follow import document
from pipeline.follow.close import close, survey_run
from pipeline.follow.document import Document
from pipeline.follow.entries import Children
from pipeline.follow.progress import Progress, describe_progress, has_ended
from pipeline.follow.survey import Survey, troubles_json
from pipeline.model.entry import ONCE, Entry
from pipeline.model.layout import RUNS, RunKeys
from pipeline.model.pipeline import Per
from pipeline.model.run import Run, RunStep
from pipeline.model.status import RunState, Status
from pipeline.submit.submitter import cancel as cancel_jobs

DEFAULT_LOG_GROUP = "/aws/batch/job"  # https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
SHOWN = 20


def progress(run: OpenRun, now: datetime) -> dict[str, Progress]:
    """Each submitted step's progress, from the parents alone."""
    return describe_progress(run.run, run.folder.records(), run.batch, now)


def describe(run: OpenRun) -> tuple[Document, Iterator[Document]]:
    """The run in counts, and each of its samples with every step; from its ledger once it is closed."""
    with plain_errors(run.cloud.where):
        summary = run.folder.summary()
        if summary is not None:
            return summary, _samples(run, run.folder.ledger())
        run.check_place()
        head, survey = _survey(run, datetime.now(UTC))
        return head, _samples(run, survey.entries())


def _survey(run: OpenRun, now: datetime) -> tuple[Document, Survey]:
    """An open run in counts, from each of its children."""
    children, survey = survey_run(run.folder, run.batch, now)
    ended = has_ended(run.run, progress(run, now), is_cancelled=children.is_cancelled)
    state = survey.state(has_ended=ended, is_cancelled=children.is_cancelled)
    return document.summarise(run.run, children.records, survey, state, run.cloud.calls), survey


def _samples(run: OpenRun, entries: Iterator[Entry]) -> Iterator[Document]:
    return document.samples(run.folder.sheet().samples, document.per_sample_steps(run.run), entries)


def glance(run: OpenRun) -> Document:
    """The run in counts, from its parents alone, with the first of its failures: few calls, whatever N is.

    Of one that nobody closed before Batch forgot its jobs, only the children's markers tell: each is looked for.
    """
    with plain_errors(run.cloud.where):
        summary = run.folder.summary()
        if summary is not None:
            return summary
        run.check_place()
        now = datetime.now(UTC)
        found = progress(run, now)
        is_cancelled = run.folder.is_cancelled()
        ended = has_ended(run.run, found, is_cancelled=is_cancelled)
        if ended and any(step.unlisted for step in found.values()):
            return {**_survey(run, now)[0], "is_closed": False}
        state = _state(run.run, found, has_ended=ended, is_cancelled=is_cancelled)
        head = document.glance(run.run, run.folder.records(), found, state, run.cloud.calls)
        failures = (
            list(Children(run.folder, run.batch, now).first_failures(SHOWN)) if _any_failed(found) else []
        )
        return {**head, "failures": {"first": troubles_json(failures)}, "is_closed": False}


def _any_failed(found: dict[str, Progress]) -> bool:
    return any(step.counts.get(Status.FAILED) for step in found.values())


def _state(run: Run, found: dict[str, Progress], *, has_ended: bool, is_cancelled: bool) -> RunState:
    """As a survey of all children judges it: what succeeded as a whole did, though it was cancelled too late."""
    if not has_ended:
        return RunState.RUNNING
    all_succeeded = all(
        step.counts.get(Status.SUCCEEDED) == step.size for step in found.values() if step.size
    )
    if all_succeeded and len(found) == len(run.steps):
        return RunState.SUCCEEDED
    return RunState.CANCELLED if is_cancelled else RunState.FAILED


def is_over(run: OpenRun) -> bool:
    """Whether the run was closed."""
    with plain_errors(run.cloud.where):
        return run.folder.summary() is not None


def has_succeeded(run: OpenRun) -> bool:
    """Whether the run was closed, and all of it succeeded."""
    with plain_errors(run.cloud.where):
        summary = run.folder.summary()
    return summary is not None and summary["state"] == RunState.SUCCEEDED


def finish(run: OpenRun) -> Document:
    """The run, of which every job ended, is closed; its summary."""
    with plain_errors(run.cloud.where):
        return run.folder.summary() or close(run.folder, run.batch, datetime.now(UTC), run.cloud.calls)


def cancel(run: OpenRun) -> list[str] | None:
    """The ids of the jobs that were told to stop; None when the run is over."""
    with plain_errors(run.cloud.where):
        if run.folder.summary() is not None:
            return None
        run.check_place()
        now = datetime.now(UTC)
        if has_ended(run.run, progress(run, now), is_cancelled=False):
            return None
        return cancel_jobs(run.folder, run.batch, now)


def list_runs(place: Place) -> list[dict[str, Any]]:
    """The runs in the bucket, or without one those that were started from this machine; oldest first."""
    if not place.bucket_name:
        return [dict(known) for known in recall_runs()]
    cloud = place.connect()
    with plain_errors(cloud.where):
        bucket = Bucket(cloud, place.bucket_name)
        names = [name for name in bucket.folders(f"{RUNS}/") if not name.startswith("_")]
        values = [bucket.read_json(RunKeys(name).run) for name in names]
    fields = ("run", "created_at", "pipeline", "reference", "queue", "uri")
    found = [{field: value.get(field) for field in fields} for value in values if value]
    return sorted(found, key=lambda run: str(run["created_at"]))


def log_streams(run: OpenRun, sample: str, step: str | None) -> list[tuple[str, str]]:
    """(step, log stream) of what a sample started, the child's own jobs asked and no others. Raises: InputError."""
    with plain_errors(run.cloud.where):
        entries = _entries_of(run, sample)
    found = [(entry.step, entry.log) for entry in entries if entry.log and step in {None, entry.step}]
    if not found:
        of_step = f" of step {step!r}" if step else ""
        raise InputError(
            Problem(
                f"{sample!r} has no log{of_step} in this run: nothing of it started",
                run.run.uri,
                f"see why (a step that runs once has the sample {ONCE}): python main.py status {run.run.uri}",
            )
        )
    return found


def _entries_of(run: OpenRun, sample: str) -> list[Entry]:
    if run.folder.summary() is not None:
        entries = [entry for entry in run.folder.ledger() if entry.sample == sample]
    else:
        run.check_place()
        entries = Children(run.folder, run.batch, datetime.now(UTC)).of_sample(sample)
    if not entries and sample != ONCE and sample not in run.folder.sheet().samples:
        raise InputError(
            Problem(
                f"the run has no sample {sample!r}",
                run.run.uri,
                f"its samples are in {run.run.uri}/samples.tsv; - stands for a step that runs once",
            )
        )
    return entries


def log_group(step: RunStep) -> str:
    """The log group that a step's definition names."""
    options = step.definition["containerProperties"].get("logConfiguration", {}).get("options", {})
    return str(options.get("awslogs-group", DEFAULT_LOG_GROUP))


def read_log(run: OpenRun, step: str, stream: str) -> Iterator[tuple[int, str]]:
    """(epoch milliseconds, line) of a log stream, from its beginning."""
    group, token = log_group(run.run.step(step)), None
    with plain_errors(run.cloud.where):
        while True:
            asked: dict[str, Any] = {"nextToken": token} if token else {}
            page = run.cloud.logs.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **asked
            )
            for event in page["events"]:
                yield event["timestamp"], event["message"]
            if page["nextForwardToken"] == token:
                return
            token = page["nextForwardToken"]


def results(run: OpenRun) -> list[tuple[str, str]]:
    """(step, folder) of what the steps of the whole run made, or of the last step where there is none."""
    once = [step for step in run.run.steps if step.per == Per.RUN]
    return [(step.name, step.output) for step in once or run.run.steps[-1:]]
