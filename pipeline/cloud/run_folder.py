"""The door to one run's records in its bucket: typed, each read and written whole."""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from typing import Any

from pipeline.cloud.bucket import AT_ONCE, Bucket
from pipeline.errors import Problem, RefusedError
from pipeline.model.entry import COLUMNS, Entry
from pipeline.model.layout import RunKeys, url
from pipeline.model.run import JobRecord, Run
from pipeline.model.sheet import SampleSheet
from steps.library.contract import ROWS_A_CHUNK


class RunFolder:
    """runs/<run id>/ of a bucket. Reading writes nothing."""

    def __init__(self, bucket: Bucket, run_id: str) -> None:
        self.bucket = bucket
        self.keys = RunKeys(run_id)
        self._records: dict[str, JobRecord] = {}

    @cached_property
    def run(self) -> Run:
        """The run, which is there. Raises: InputError where its record has another format."""
        return Run.from_json(self.bucket.read_json(self.keys.run))

    def exists(self) -> bool:
        """Whether the run was pinned."""
        return self.bucket.has(self.keys.run)

    def is_open(self) -> bool:
        """Whether the run is there and has not been closed."""
        return self.exists() and not self.bucket.has(self.keys.summary)

    def pin(self, run: Run, sheet: SampleSheet, work: SampleSheet) -> None:
        """Sheet, rows and last the run itself are in the bucket: from here its URI is all that anyone needs."""
        self.bucket.write(self.keys.sheet, sheet.tsv())
        with ThreadPoolExecutor(AT_ONCE) as threads:
            chunks = [(self.keys.chunk(number), body) for number, body in work.chunks()]
            list(threads.map(lambda chunk: self.bucket.write(*chunk), chunks))
        self.bucket.write_json(self.keys.run, run.to_json())

    def unpin(self) -> None:
        """Nothing of a run that was never claimed is left."""
        self.bucket.delete(*(found.key for found in self.bucket.objects(f"{self.keys.prefix}/")))

    def sheet(self) -> SampleSheet:
        """The whole pinned sheet."""
        body = self.bucket.read(self.keys.sheet)
        assert body is not None, "the sheet is pinned before the run"
        return SampleSheet.pinned(body)

    def work(self) -> Iterator[str]:
        """The samples of the rows that the arrays go over, in order, a chunk in memory at a time.

        Raises: RefusedError when a chunk is gone.
        """
        for number in range(-(-self.run.rows // ROWS_A_CHUNK)):
            yield from self._chunk(number)

    def _chunk(self, number: int) -> list[str]:
        body = self.bucket.read(self.keys.chunk(number))
        if body is None:
            raise RefusedError(
                Problem(
                    "the run's rows are not all there: which sample a child stands for is not known any more",
                    url(self.bucket.name, self.keys.chunk(number)),
                    "bring the object back from a backup, or give the command that started the run again",
                )
            )
        return SampleSheet.pinned(body).samples

    def names(self, rows: Iterable[int]) -> dict[int, str]:
        """The samples of these rows, by row; only the chunks that hold them are read."""
        found: dict[int, str] = {}
        chunks: dict[int, list[str]] = {}
        for row in rows:
            number = row // ROWS_A_CHUNK
            if number not in chunks:
                chunks[number] = self._chunk(number)
            found[row] = chunks[number][row % ROWS_A_CHUNK]
        return found

    def record(self, step: str) -> JobRecord | None:
        """The step's job record; None when it is not all submitted yet."""
        if step not in self._records:
            value = self.bucket.read_json(self.keys.job_record(step))
            if value is not None:
                self._records[step] = JobRecord.from_json(value)
        return self._records.get(step)

    def records(self) -> dict[str, JobRecord]:
        """The job record of each step that is submitted, in the run's order."""
        found = {step.name: self.record(step.name) for step in self.run.steps}
        return {name: record for name, record in found.items() if record}

    def write_record(self, record: JobRecord) -> None:
        self.bucket.write_json(self.keys.job_record(record.step), record.to_json())
        self._records[record.step] = record

    def last_turn(self) -> tuple[int, datetime | None]:
        """The number of the last turn at submitting that was taken, and when; 0 and None where none was."""
        taken = [(found.key, found.modified_at) for found in self.bucket.objects(self.keys.turns)]
        if not taken:
            return 0, None
        key, modified = max(taken)
        return int(key.removeprefix(self.keys.turns).removesuffix(".json")), modified

    def take_turn(self, number: int, who: Mapping[str, Any]) -> bool:
        """That turn is taken; False where another took it."""
        return self.bucket.write_new(self.keys.turn(number), json.dumps(who).encode())

    def who_has_turn(self, number: int) -> Mapping[str, Any]:
        """Who took that turn."""
        found: Mapping[str, Any] = self.bucket.read_json(self.keys.turn(number)) or {}
        return found

    def is_cancelled(self) -> bool:
        return self.bucket.has(self.keys.cancelled)

    def write_cancelled(self, at: datetime) -> None:
        self.bucket.write_json(self.keys.cancelled, {"cancelled_at": at.isoformat(timespec="seconds")})

    def failures(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What these failed children, by (step, child), wrote down of themselves; read side by side."""
        keys = {self.keys.failure(step, child): (step, child) for step, child in wanted}
        read = self.bucket.read_all(list(keys)) if keys else ()
        return {keys[key]: json.loads(body) for key, body in read if body}

    def summary(self) -> dict[str, Any] | None:
        """How the run ended, in counts; None while it has not been closed."""
        found: dict[str, Any] | None = self.bucket.read_json(self.keys.summary)
        return found

    def write_failed(self, samples: bytes) -> None:
        self.bucket.write(self.keys.failed, samples)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """The run is closed."""
        self.bucket.write_json(self.keys.summary, summary)

    def write_ledger(self, entries: Iterable[Entry]) -> None:
        """The entries are in the bucket, a row each, tab-separated as R, pandas, Excel and DuckDB read it; streamed."""
        with tempfile.TemporaryFile() as body:
            with gzip.open(body, "wt", encoding="utf-8", newline="") as lines:
                table = csv.writer(lines, dialect=csv.excel_tab, lineterminator="\n")
                table.writerow(COLUMNS)
                table.writerows(entry.to_row() for entry in entries)
            body.seek(0)
            self.bucket.upload_stream(body, self.keys.ledger)

    def ledger(self) -> Iterator[Entry]:
        """Every entry of the ledger of a closed run, streamed."""
        with tempfile.TemporaryFile() as body:
            self.bucket.download_to(self.keys.ledger, body)
            body.seek(0)
            with gzip.open(body, "rt", encoding="utf-8", newline="") as lines:
                yield from map(Entry.from_row, csv.DictReader(lines, dialect=csv.excel_tab))
