"""The end of a run is in the bucket: its ledger, its failed samples, and last, after cleaning, its summary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.cloud.batch import Batch
from pipeline.cloud.run_folder import RunFolder
from pipeline.follow.document import Document, summarise
from pipeline.follow.entries import Children
from pipeline.follow.survey import Survey
from pipeline.model.sheet import HEADERS, SampleSheet


def survey_run(folder: RunFolder, batch: Batch, now: datetime) -> tuple[Children, Survey]:
    """Every child of the run was looked at, once."""
    children = Children(folder, batch, now)
    return children, Survey(children.entries())


def close(folder: RunFolder, batch: Batch, now: datetime, calls: Mapping[str, int]) -> Document:
    """The run is closed, and this is its summary. Closing twice, or by two at once, gives the same."""
    children, survey = survey_run(folder, batch, now)
    state = survey.state(has_ended=True, is_cancelled=children.is_cancelled)
    folder.write_ledger(survey.entries())
    folder.write_failed(_sample_list(folder.sheet(), survey))
    head = summarise(folder.run, children.records, survey, state, calls)
    summary = {**head, "closed_at": now.isoformat(timespec="seconds")}
    if folder.run.max_parallel:
        batch.delete_slots(folder.run.id)  # before the summary: a run that has one is not looked at again
    folder.write_summary(summary)
    return summary


def _sample_list(sheet: SampleSheet, survey: Survey) -> bytes:
    """The failed samples as a sample list again: names, or a table where the sheet has columns."""
    failed = sheet.subset(survey.failed)
    if len(sheet.columns) > 1 or any(name.lower() in HEADERS for name in failed.samples[:1]):
        return failed.tsv()
    return "".join(f"{name}\n" for name in failed.samples).encode()
