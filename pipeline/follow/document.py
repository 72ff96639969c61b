"""How a run stands, as `status --json` gives it: what it adds up to, and its samples one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.follow.progress import Progress
from pipeline.follow.survey import Survey, troubles_json
from pipeline.model.entry import ONCE, Entry, unchanged
from pipeline.model.pipeline import Per
from pipeline.model.run import JobRecord, Run
from pipeline.model.status import RunState

Document = dict[str, Any]


def head(run: Run, state: RunState, steps: list[Document]) -> Document:
    """What every document of a run begins with."""
    return {
        "run": run.id,
        "uri": run.uri,
        "pipeline": run.pipeline,
        "reference": run.reference,
        "queue": run.queue,
        "state": str(state),
        "closed_at": None,
        "steps": steps,
    }


def summarise(
    run: Run, records: Mapping[str, JobRecord], survey: Survey, state: RunState, calls: Mapping[str, int]
) -> Document:
    """The run in counts, from a survey of its children; the summary of a closed run is this."""
    steps = [
        {
            **_step(run, name, records),
            "counts": survey.count(name),
            "reason": survey.once[name].reason if name in survey.once else None,
            "log": survey.once[name].log if name in survey.once else None,
        }
        for name in (step.name for step in run.steps)
    ]
    return {
        **head(run, state, steps),
        "sample_counts": {"total": run.samples, "failed": len(survey.failed)},
        "failures": {"total": survey.trouble_count, "first": troubles_json(survey.troubles)},
        "api_calls": dict(sorted(calls.items())),
    }


def glance(
    run: Run,
    records: Mapping[str, JobRecord],
    progress: Mapping[str, Progress],
    state: RunState,
    calls: Mapping[str, int],
) -> Document:
    """The run in counts, from its parents alone: FAILED counts what was skipped too."""
    steps = [
        {
            **_step(run, name, records),
            "counts": {
                str(status): number
                for status, number in progress[name].counts.items()
                if number or status.has_ended
            }
            if name in progress
            else {"SUCCEEDED": 0, "FAILED": 0},
        }
        for name in (step.name for step in run.steps)
    ]
    return {
        **head(run, state, steps),
        "sample_counts": {"total": run.samples},
        "api_calls": dict(sorted(calls.items())),
    }


def _step(run: Run, name: str, records: Mapping[str, JobRecord]) -> Document:
    step = run.step(name)
    return {
        "name": name,
        "per": str(step.per),
        "output": step.output,
        "job_ids": [job.job_id for job in records[name].jobs] if name in records else [],
        "size": step.size,
        "unchanged": step.done,
    }


def samples(names: Iterable[str], steps: Iterable[str], entries: Iterable[Entry]) -> Iterator[Document]:
    """Each sample of the sheet with its entries by step; what the run had no child for stood before it.

    `entries` come in the order of `names`, as a survey and a ledger have them.
    """
    per_sample = list(steps)
    found = (entry for entry in entries if entry.sample != ONCE)
    entry = next(found, None)
    for name in names:
        cells = {}
        while entry is not None and entry.sample == name:
            cells[entry.step] = entry
            entry = next(found, None)
        yield {
            "sample": name,
            "steps": {step: (cells.get(step) or unchanged(name, step)).to_json() for step in per_sample},
        }


def per_sample_steps(run: Run) -> list[str]:
    """The steps that a document's samples show."""
    return [step.name for step in run.steps if step.per == Per.SAMPLE]
