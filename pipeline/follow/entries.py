"""Every child of a run, from Batch: sample by sample in the order of the rows, a hundred at a time, in flat memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from pipeline.cloud.batch import MAX_DESCRIBED, Batch
from pipeline.cloud.bucket import AT_ONCE
from pipeline.cloud.run_folder import RunFolder
from pipeline.follow import causes
from pipeline.follow.progress import is_forgotten
from pipeline.model.entry import ONCE, Entry
from pipeline.model.pipeline import Per
from pipeline.model.run import JobRecord, RunStep, SubmittedJob
from pipeline.model.status import Status
from steps.library.contract import Folder, Found, MarkerName

Cells = dict[tuple[str, str], Entry]  # by (step, sample)
SEARCHED = 100  # failed children of an array that are looked at for some that failed by themselves
UNSETTLED = {Status.FAILED, Status.LOST, Status.UNKNOWN}


class Children:
    """The children of one run. Reads Batch's details of each, and objects only of those that failed."""

    def __init__(self, folder: RunFolder, batch: Batch, now: datetime) -> None:
        self._folder, self._batch = folder, batch
        self.run = folder.run
        self.records = folder.records()
        self.is_cancelled = folder.is_cancelled()
        self._is_forgotten = is_forgotten(self.run, now)
        self._roots: dict[
            str, str | None
        ] = {}  # step that runs once, or whose children were asked → its root

    def entries(self) -> Iterator[Entry]:
        """An entry for each child that the run was to have: all steps of a sample, then the steps that run once."""
        steps = [step for step in self.run.steps if step.jobs]
        per_sample = [step for step in steps if step.per == Per.SAMPLE]
        once = self._chunk([step for step in steps if step.per != Per.SAMPLE], [(0, ONCE)], {})
        if per_sample:
            rows = enumerate(self._folder.work())
            while chunk := list(itertools.islice(rows, MAX_DESCRIBED)):
                cells = self._chunk(per_sample, chunk, once)
                yield from (cells[step.name, sample] for _, sample in chunk for step in per_sample)
        yield from once.values()

    def of_sample(self, sample: str) -> list[Entry]:
        """The entries of one sample, or of the steps that run once: only its own jobs are asked."""
        steps = [
            step for step in self.run.steps if step.jobs and (step.per != Per.SAMPLE) == (sample == ONCE)
        ]
        names = [ONCE] if sample == ONCE else self._folder.work()
        row = next((row for row, name in enumerate(names) if name == sample), None)
        return [] if row is None else list(self._chunk(steps, [(row, sample)], {}).values())

    def first_failures(self, at_most: int) -> list[Entry]:
        """The first children that failed by themselves, found by asking each parent for its failed children."""
        found: list[Entry] = []
        for name, record in self.records.items():
            rows = [
                job.row(child["jobId"])
                for job in record.jobs
                for child in itertools.islice(self._failed_of(job), SEARCHED)
                if not causes.is_skipped(child)
            ][: at_most - len(found)]
            names = (
                self._folder.names(rows)
                if self.run.step(name).per == Per.SAMPLE
                else dict.fromkeys(rows, ONCE)
            )
            cells = self._chunk([self.run.step(name)], list(names.items()), {}) if rows else {}
            found += [entry for entry in cells.values() if entry.status == Status.FAILED]
        return found

    def _chunk(self, steps: Sequence[RunStep], rows: Sequence[tuple[int, str]], once: Cells) -> Cells:
        """The cells of these rows, with causes told apart from what followed from them."""
        cells: Cells = {}
        details: dict[tuple[str, str], Mapping[str, Any]] = {}
        for step in steps:
            self._describe(step, rows, cells, details)
        self._settle(cells, details)
        roots: dict[tuple[str, str], str | None] = {}
        for key, entry in cells.items():
            if causes.is_skipped(details.get(key, {})) and entry.status == Status.FAILED:
                roots[key] = self._root(*key, cells={**once, **cells}, roots=roots)
                cells[key] = causes.skipped(entry, roots[key])
        self._roots |= {step: root for (step, sample), root in roots.items() if sample == ONCE}
        return cells

    def _describe(
        self,
        step: RunStep,
        rows: Sequence[tuple[int, str]],
        cells: Cells,
        details: dict[tuple[str, str], Mapping[str, Any]],
    ) -> None:
        record = self.records.get(step.name)
        if record is None:
            cells |= {(step.name, sample): self._unsubmitted(step.name, sample) for _, sample in rows}
            return
        ids = {sample: _child_id(record, row) for row, sample in rows}
        found = {job["jobId"]: job for job in self._batch.describe(filter(None, ids.values()))}
        for sample, job_id in ids.items():
            job = found.get(job_id or "")
            if job_id is None:
                cells[step.name, sample] = self._unsubmitted(step.name, sample)
            elif job is None:
                cells[step.name, sample] = causes.unlisted(sample, step.name, is_forgotten=self._is_forgotten)
            else:
                cells[step.name, sample] = causes.entry_of_job(sample, step.name, job)
                details[step.name, sample] = job

    def _unsubmitted(self, step: str, sample: str) -> Entry:
        if self.is_cancelled:
            why = "never submitted: the run was cancelled before"
            return Entry(sample=sample, step=step, status=Status.SKIPPED, reason=why)
        return Entry(sample=sample, step=step, status=Status.PENDING, reason="not submitted yet")

    def _settle(self, cells: Cells, details: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Each child that failed by itself, or is not listed, has its reason, or its success by its marker."""
        open_ends = [
            key
            for key, entry in cells.items()
            if entry.status in UNSETTLED and not causes.is_skipped(details.get(key, {}))
        ]
        if not open_ends:
            return
        failures = self._folder.failures(key for key in open_ends if cells[key].status == Status.FAILED)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            marked = threads.map(lambda key: self._has_marker(*key), open_ends)
            for key, has_marker in zip(open_ends, marked, strict=True):
                memory_mib = self.run.step(key[0]).memory_mib
                entry = causes.with_reason(
                    cells[key], details.get(key, {}), failures.get(key), memory_mib=memory_mib
                )
                cells[key] = causes.settled(entry, has_marker=has_marker)

    def _has_marker(self, name: str, sample: str) -> bool:
        """Whether this run left a marker of that child, and the files that it names are there."""
        step = self.run.step(name)
        bucket = self._folder.bucket
        prefix = step.output.removeprefix(f"s3://{bucket.name}/") + (f"/{sample}/" if sample != ONCE else "/")
        names = (
            (found.key.removeprefix(prefix), Found(found.etag, found.size))
            for found in bucket.objects(prefix)
        )
        place = Folder.of(names, name if step.per == Per.REFERENCE else None)

        def read(marker: MarkerName) -> Any:
            return bucket.read_json(f"{prefix}{marker}")

        return any(
            place.published(marker, read) is not None and (read(marker) or {}).get("run") == self.run.uri
            for marker in place.made_by(step.fingerprint)
        )

    def _root(
        self, name: str, sample: str, *, cells: Cells, roots: Mapping[tuple[str, str], str | None]
    ) -> str | None:
        """The step that failed first, of those that a child waited for."""
        for upstream in self.run.step(name).after:
            entry = cells.get((upstream, sample)) or cells.get((upstream, ONCE))
            if entry is None:
                if root := self._root_among_children(upstream):
                    return root
            elif entry.status == Status.SKIPPED:
                return roots.get((upstream, sample)) or self._roots.get(upstream)
            elif entry.status != Status.SUCCEEDED:
                return upstream
        return None

    def _root_among_children(self, name: str) -> str | None:
        """The step at the root of some failure among a step's children: the step itself where one failed by itself."""
        if name not in self._roots:
            failed = self._failed(name)
            if any(not causes.is_skipped(child) for child in failed):
                self._roots[name] = name
            else:
                upstream = self.run.step(name).after
                self._roots[name] = next(filter(None, map(self._root_among_children, upstream)), None)
        return self._roots[name]

    def _failed(self, name: str) -> Iterator[Mapping[str, Any]]:
        record = self.records.get(name)
        for job in record.jobs if record else ():
            yield from self._failed_of(job)

    def _failed_of(self, job: SubmittedJob) -> Iterator[Mapping[str, Any]]:
        """The failed children of an array, or a plain job that failed."""
        if job.size > 1:
            yield from self._batch.failed_children(job.job_id)
        else:
            yield from (found for found in self._batch.describe([job.job_id]) if found["status"] == "FAILED")


def _child_id(record: JobRecord, row: int) -> str | None:
    job = record.job_of_row(row)
    return job.child_id(row) if job else None
