"""Submitting a run: definitions first, then every step's jobs, each recorded in the bucket; by one client at a time.

A client that submits takes numbered turns in the run's folder, each written only if it is absent, and one before
every SubmitJob. So of two clients one goes on and the other learns at its next turn that it lost. Who finds the last
turn's owner silent for longer than any one call takes, or dead on this very machine, takes over.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from pipeline.cloud.batch import Batch
from pipeline.cloud.run_folder import RunFolder
from pipeline.errors import Problem, RefusedError
from pipeline.model.run import JobRecord, RunStep, SubmittedJob
from pipeline.submit.jobs import submit_request

TURN_LASTS = timedelta(seconds=90)  # a SubmitJob that is not answered ends within a minute


BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc/self/ns/pid")


class LostTurnError(Exception):
    """Another client submits this run now, or it was cancelled."""


class Submitter:
    """Submits one run's steps, in order; going on where an earlier attempt was cut off is the same as starting."""

    def __init__(self, folder: RunFolder, batch: Batch) -> None:
        self.folder = folder
        self.run = folder.run
        self._batch = batch
        self._turn = 0
        self._who = {
            **_who(),
            "submitter": secrets.token_hex(8),
        }  # of two in one process, too, one has a turn

    def try_to_begin(self, now: datetime) -> bool:
        """Whether this client submits: nobody did, or who did is gone."""
        last, taken_at = self.folder.last_turn()
        if taken_at and now - taken_at < TURN_LASTS and not _is_dead(self.folder.who_has_turn(last)):
            return False
        self._turn = last
        return self._take_turn()

    def take_over(self) -> bool:
        """This client has the turn, whoever had it; False where another took the next one at this very moment."""
        self._turn, _ = self.folder.last_turn()
        return self._take_turn()

    def _take_turn(self) -> bool:
        self._turn += 1
        return self.folder.take_turn(self._turn, self._who)

    def is_done(self) -> bool:
        """Whether every step is submitted."""
        return len(self.folder.records()) == len(self.run.steps)

    def record(self, step: str) -> JobRecord | None:
        """The step's job record; None when it is not submitted yet."""
        return self.folder.record(step)

    def submit(self, step: RunStep) -> None:
        """The step's jobs are in the queue, once each, and its record is in the bucket.

        Raises: LostTurnError when another client took over, or the run was cancelled.
        """
        ids = {job.job_name: job.job_id for name in step.after for job in self._jobs_of(name)}
        if step.jobs:
            self._batch.register(step.definition)
        jobs = []
        for job in step.jobs:
            job_id = self._batch.submit(submit_request(self.run, step, job, ids), self._hold_on)
            jobs.append(
                SubmittedJob(job_id=job_id, job_name=job.name, size=job.size, first_row=job.first_row)
            )
        self.folder.write_record(JobRecord(step=step.name, jobs=tuple(jobs)))

    def _hold_on(self) -> None:
        """This client still has its turn. Raises: LostTurnError when another took over, or the run was cancelled."""
        if not self._take_turn() or self.folder.is_cancelled():
            raise LostTurnError

    def _jobs_of(self, step: str) -> tuple[SubmittedJob, ...]:
        record = self.folder.record(step)
        assert record is not None, "Luigi submits a step after those that it requires"
        return record.jobs


def check_submitted(submitter: Submitter) -> None:
    """Every step has its record. Raises: RefusedError naming those that have none."""
    missing = [step.name for step in submitter.run.steps if submitter.record(step.name) is None]
    if missing:
        raise RefusedError(
            Problem(
                f"these steps were not submitted: {', '.join(missing)}",
                submitter.run.uri,
                f"go on: python main.py resume {submitter.run.uri}",
            )
        )


def submitted_jobs(folder: RunFolder, batch: Batch) -> dict[str, list[str]]:
    """The ids of every job of the run that is in the queue, by step: recorded, and found by its name."""
    ids: dict[str, list[str]] = {}
    for step in folder.run.steps:
        record = folder.record(step.name)
        recorded = [job.job_id for job in record.jobs] if record else []
        named = [job_id for job in step.jobs for job_id in batch.find_all(folder.run.queue, job.name)]
        ids[step.name] = list(dict.fromkeys([*recorded, *named]))
    return ids


def adopt_found_jobs(folder: RunFolder, batch: Batch) -> None:
    """Steps of a cancelled run have the record of their jobs that are in the queue, whoever died before writing it."""
    for step in folder.run.steps:
        if folder.record(step.name) is None:
            ids = [batch.find(folder.run.queue, job.name) for job in step.jobs]
            found = [
                SubmittedJob(job_id=job_id, job_name=job.name, size=job.size, first_row=job.first_row)
                for job, job_id in zip(step.jobs, ids, strict=True)
                if job_id
            ]
            if found or not step.jobs:
                folder.write_record(JobRecord(step=step.name, jobs=tuple(found)))


def cancel(folder: RunFolder, batch: Batch, now: datetime) -> list[str]:
    """Every job of the run is told to stop, those furthest upstream first, as Batch needs it; their ids.

    The turn is taken first, so that a client that still submits stops before its next job.
    """
    folder.write_cancelled(now)
    submitter = Submitter(folder, batch)
    while not submitter.take_over():
        pass
    return terminate(folder, batch)


def terminate(folder: RunFolder, batch: Batch) -> list[str]:
    """Every job of a cancelled run that is in the queue is told to stop; their ids."""
    job_ids = [job_id for ids in submitted_jobs(folder, batch).values() for job_id in ids]
    for job_id in job_ids:
        batch.terminate(job_id, "cancelled by the user")
    return job_ids


def _who() -> dict[str, Any]:
    return {"machine": _machine(), "pid": os.getpid(), "started": psutil.Process().create_time()}


def _is_dead(who: Mapping[str, Any]) -> bool:
    """Whether a client is known to be gone: it was on this machine, and no such process is there."""
    if who.get("machine") != _machine():
        return False
    try:
        return bool(abs(psutil.Process(who["pid"]).create_time() - who["started"]) > 1)
    except (psutil.NoSuchProcess, KeyError):
        return True


def _machine() -> list[str | float]:
    """What tells this machine, since it was started, from every other; a container from its host."""
    with contextlib.suppress(OSError):
        return [platform.node(), BOOT_ID.read_text().strip(), str(PROCESSES.readlink())]
    return [platform.node(), psutil.boot_time(), ""]
