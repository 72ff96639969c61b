"""What tells two runs of one results tree apart: the same command follows an open run only where nothing does. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model.run import Run, RunStep


def differences(wanted: Run, found: Run) -> list[str]:
    """A sentence for each thing in which a wanted run is not the one that is open; none where they are the same."""
    return [*_of_runs(wanted, found), *_of_steps(wanted, found)]


def _of_runs(wanted: Run, found: Run) -> Iterator[str]:
    if wanted.queue != found.queue:
        yield f"the queue is {wanted.queue!r}, the run's is {found.queue!r}"
    elif wanted.queue_arn != found.queue_arn:
        yield f"the queue is {wanted.queue_arn}, the run's is {found.queue_arn}"
    if wanted.input != found.input:
        yield f"the input place is {wanted.input}, the run's is {found.input}"
    if wanted.sheet_digest != found.sheet_digest:
        what = "other samples or columns" if wanted.samples == found.samples else f"{wanted.samples} samples"
        yield f"the sample sheet has {what}, the run's has {found.samples}"
    if wanted.max_parallel != found.max_parallel:
        yield f"--max-parallel is {wanted.max_parallel}, the run's is {found.max_parallel}"


def _of_steps(wanted: Run, found: Run) -> Iterator[str]:
    ours, theirs = ({step.name: step for step in run.steps} for run in (wanted, found))
    for name in ours:
        if name not in theirs:
            yield f"step {name!r} is not in the run"
    for name in theirs:
        if name not in ours:
            yield f"step {name!r} is in the run and not in the pipeline"
        else:
            yield from _of_step(ours[name], theirs[name])


def _of_step(ours: RunStep, theirs: RunStep) -> Iterator[str]:
    if ours.fingerprint != theirs.fingerprint:
        yield f"step {ours.name!r} has another script, image, parameter or declaration"
    if ours.after != theirs.after:
        yield f"step {ours.name!r} comes after other steps"
    if ours.definition["jobDefinitionName"] != theirs.definition["jobDefinitionName"]:
        yield f"step {ours.name!r} asks for other memory, vCPUs, time, retries, image or roles"
