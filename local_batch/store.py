"""What outlives the process: one SQLite file, written in groups, read once at the start.

A submission is one row however many children it has; a child has a row once it has started, ended or been flagged.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local_batch.job import Attempt, Dependency, Job, RetryRule, Status, Submission

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, name TEXT, body TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS submissions (sequence INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS jobs
    (sequence INTEGER, child INTEGER, body TEXT, PRIMARY KEY (sequence, child)) WITHOUT ROWID;
"""
UPSERT_JOB = "INSERT INTO jobs VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
UPSERT_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
ENCODER = json.JSONEncoder(separators=(",", ":"))
WHOLE = -1  # the child column of a plain job and of an array's parent
NEW = frozenset({Status.SUBMITTED, Status.PENDING, Status.RUNNABLE})


class Store:
    """The endpoint's state on disk. The caller holds the lock."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        (last,) = self._db.execute("SELECT max(sequence) FROM submissions").fetchone()
        self._sequence = last or 0

    def next_sequence(self) -> int:
        """Return the number of the next submission."""
        self._sequence += 1
        return self._sequence

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        """Keep a document (a definition, a queue, …) under its name."""
        self._begin()
        self._db.execute(UPSERT_DOCUMENT, (kind, name, json.dumps(body)))

    def delete(self, kind: str, name: str) -> None:
        """Forget a document."""
        self._begin()
        self._db.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))

    def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all documents of a kind by name."""
        rows = self._db.execute("SELECT name, body FROM documents WHERE kind = ?", (kind,))
        return {name: json.loads(body) for name, body in rows}

    def add(self, submission: Submission) -> None:
        """Keep a submission."""
        self._begin()
        row = (submission.sequence, json.dumps(asdict(submission)))
        self._db.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?)", row)

    def save(self, jobs: list[Job]) -> None:
        """Keep what became of these jobs; one that only waits has nothing to keep."""
        rows = [_row(job) for job in jobs if not _is_untouched(job)]
        if rows:
            self._begin()
            self._db.executemany(UPSERT_JOB, rows)

    def forget(self, submission: Submission) -> None:
        """Delete a submission and all its jobs."""
        self._begin()
        self._db.execute("DELETE FROM submissions WHERE sequence = ?", (submission.sequence,))
        self._db.execute("DELETE FROM jobs WHERE sequence = ?", (submission.sequence,))

    def commit(self, *, is_synced: bool = False) -> None:
        """Make all of the above survive the end of this process, and with `is_synced` a power cut too."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")
            if is_synced:
                self._db.execute("PRAGMA wal_checkpoint(FULL)")

    def submissions(self) -> list[Submission]:
        """Return all submissions in the order in which they came."""
        rows = self._db.execute("SELECT body FROM submissions ORDER BY sequence")
        return [_submission(json.loads(body)) for (body,) in rows]

    def restore(self, job: Job) -> None:
        """Set a job, and an array's children, to what was kept of them."""
        rows = self._db.execute("SELECT child, body FROM jobs WHERE sequence = ?", (job.submission.sequence,))
        for child, body in rows:
            _restore(job if child == WHOLE else job.units[child], json.loads(body))

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")


def _is_untouched(job: Job) -> bool:
    return job.status in NEW and not (job.attempts or job.is_cancelled or job.is_terminated)


def _row(job: Job) -> tuple[int, int, str]:
    body = (
        job.status,
        job.status_reason,
        job.started_at,
        job.stopped_at,
        [_attempt(attempt) for attempt in job.attempts],
        job.task_id,
        job.environment,
        job.end_reason,
        job.is_cancelled,
        job.is_terminated,
    )
    child = WHOLE if job.index is None else job.index
    return (job.submission.sequence, child, ENCODER.encode(body))


def _attempt(attempt: Attempt) -> tuple[Any, ...]:
    return (
        attempt.task_id,
        attempt.started_at,
        attempt.stopped_at,
        attempt.exit_code,
        attempt.reason,
        attempt.status_reason,
    )


def _restore(job: Job, body: list[Any]) -> None:
    status, job.status_reason, job.started_at, job.stopped_at, attempts, *rest = body
    job.task_id, job.environment, job.end_reason, job.is_cancelled, job.is_terminated = rest
    job.attempts = tuple(Attempt(*attempt) for attempt in attempts)
    if job.parent is not None:
        job.parent.counts[job.status] -= 1
        job.parent.counts[Status(status)] += 1
    job.status = Status(status)


def _submission(body: dict[str, Any]) -> Submission:
    body["depends_on"] = tuple(Dependency(**each) for each in body["depends_on"])
    body["retry_rules"] = tuple(RetryRule(**each) for each in body["retry_rules"])
    body["platforms"] = tuple(body["platforms"])
    body["resources"] = tuple((name, quantity) for name, quantity in body["resources"])
    return Submission(**body)
