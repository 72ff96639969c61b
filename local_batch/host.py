"""The machine that Batch runs on: it holds the engine, the store and the runners together under one lock."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local_batch.clock import Clock
from local_batch.engine import Engine
from local_batch.events import EventLog
from local_batch.faults import Faults
from local_batch.home import Home
from local_batch.job import LIVE, START_FAILED, Job, Outcome
from local_batch.launch import Runner
from local_batch.logs import Logs
from local_batch.scheduler import Scheduler
from local_batch.shelf import Shelf
from local_batch.store import Store
from local_batch.surroundings import Surroundings, stream_name

log = logging.getLogger(__name__)
HOST_LOST = "Host EC2 (instance {}) terminated."
RETENTION_MS = 7 * 24 * 3600 * 1000  # https://docs.aws.amazon.com/batch/latest/userguide/job_states.html


class Host:
    """Runs what the engine admits and tells it what became of that."""

    def __init__(
        self, home: Home, scheduler: Scheduler, *, runner: Runner, surroundings: Surroundings, clock: Clock
    ) -> None:
        self.home = home
        self.clock = clock
        self.engine = Engine(scheduler)
        self.store = Store(home.state)
        self.definitions = Shelf(self.store, "job-definition")
        self.queues = Shelf(self.store, "job-queue")
        self.environments = Shelf(self.store, "compute-environment")
        self.policies = Shelf(self.store, "scheduling-policy")
        self.consumables = Shelf(self.store, "consumable-resource")
        self.logs = Logs(home.logs, clock)
        self.runner = runner
        self.surroundings = surroundings
        self.events = EventLog(home.events, surroundings.region)
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.faults = Faults()
        self._deadlines_changed = threading.Condition(self.lock)
        self.running = 0
        self.busy_at = clock.now_ms()
        self._lost: dict[str, Outcome] = {}
        self._unsaved: dict[Job, None] = {}
        self._threads = ThreadPoolExecutor(max_workers=4096, thread_name_prefix="job")
        self._is_closed = False

    @property
    def _host_loss(self) -> Outcome:
        return Outcome(status_reason=HOST_LOST.format(self.surroundings.instance_id))

    def open(self) -> None:
        """End what an earlier server left running, take up its jobs, and begin."""
        server_id = self.surroundings.server_id
        self.runner.sweep(server_id)
        shutil.rmtree(self.home.scratch, ignore_errors=True)
        self.home.scratch.mkdir()
        with self.turn():
            self._restore()
        threading.Thread(target=self._keep_time, name="time", daemon=True).start()

    def close(self) -> None:
        """Stop starting jobs, close the store and end what runs; the next server counts that as a lost host."""
        with self.lock:
            self._is_closed = True
            self._deadlines_changed.notify_all()
            self.store.close()
            self.events.close()
        self.runner.sweep(self.surroundings.server_id)
        while self.running:  # it was about to start
            self.runner.sweep(self.surroundings.server_id)

    @contextmanager
    def turn(self, *, is_synced: bool = False) -> Iterator[Engine]:
        """Let the caller change the engine; then keep what changed, and start and stop what follows from it."""
        with self.lock:
            yield self.engine
            starts = self._close_turn(is_synced=is_synced)
        for job in starts:
            self._threads.submit(self._work, job)

    def _close_turn(self, *, is_synced: bool = False) -> list[Job]:
        """Return what starts now, all that changed being kept."""
        starts = [] if self._is_closed else self.engine.admit(self.clock.now_ms())
        self._keep(is_synced=is_synced)
        self.running += len(starts)
        if self.engine.scheduler.expiries():
            self._deadlines_changed.notify_all()
        return starts

    def lose(self, job: Job) -> None:
        """Take the host away under a running job, as a Spot reclaim does. The caller holds the lock."""
        if job.task_id is not None:
            self._lost[job.task_id] = self._host_loss
            self.runner.kill(job.task_id, is_forced=True)

    def _keep(self, *, is_synced: bool = False) -> None:
        """Make what changed known and durable, then send the signals that follow from it."""
        self._tell()
        if not self._is_closed:
            self.store.save(list(self._unsaved))
            self._unsaved.clear()
            self.store.commit(is_synced=is_synced)
        kills, self.engine.kills = self.engine.kills, []
        for kill in kills:
            self.runner.kill(kill.task_id, is_forced=kill.is_forced)
        if kills:
            self._deadlines_changed.notify_all()

    def _tell(self) -> None:
        """Append what changed to the event log and wake who waits for it."""
        changes, self.engine.changes = self.engine.changes, []
        if changes and not self._is_closed:
            self._unsaved.update((job, None) for job, _ in changes)
            self.events.add(changes, self.clock.now_ms())
            self.changed.notify_all()

    def _work(self, first: Job) -> None:
        """Run one job after the other while one starts when another ends: a thread a slot."""
        job: Job | None = first
        while job is not None:
            outcome = self._run(job)
            with self.lock:
                self.running -= 1
                self.busy_at = self.clock.now_ms()
                self.engine.ended(job, outcome, self.clock.now_ms())
                starts = self._close_turn()
            for other in starts[1:]:
                self._threads.submit(self._work, other)
            job = starts[0] if starts else None

    def _run(self, job: Job) -> Outcome:
        """Return how one attempt ended, its scratch folder gone."""
        launch = self.surroundings.launch(job, str(self.home.scratch), self.logs)
        launch = replace(launch, environment=self.faults.through_slow_s3(launch.environment))
        try:
            outcome = self.faults.at_start(job.submission.container["image"])
            if outcome is None:
                outcome = self.runner.run(launch, lambda: self._started(job))
        except Exception as error:  # the top of a job's thread: whatever went wrong, the attempt is over
            log.exception("attempt %s of job %s failed in the runner", launch.task_id, job.id)
            outcome = Outcome(reason=f"CannotStartContainerError: {error}"[:255], status_reason=START_FAILED)
        _remove(launch.scratch)
        return self._lost.pop(launch.task_id, outcome)

    def _started(self, job: Job) -> None:
        with self.lock:
            self.engine.started(job, self.clock.now_ms())
            self._tell()
            if job.end_reason is not None and job.task_id is not None:
                self.runner.kill(job.task_id, is_forced=False)
            if job.submission.timeout_s is not None:
                self._deadlines_changed.notify_all()

    def _restore(self) -> None:
        now = self.clock.now_ms()
        for submission in self.store.submissions():
            job = self.engine.add(submission)
            self.store.restore(job)
            for unit in job.units:
                if unit.status in LIVE:
                    self.engine.count_attempt(unit, self._host_loss, now)
            self.engine.open(job, now)
        self.engine.changes = [
            change for change in self.engine.changes if change[0].attempts or change[0].is_over
        ]

    def _keep_time(self) -> None:
        with self.lock:
            while not self._is_closed:
                until = self.engine.pass_time(self.clock.now_ms())
                self._keep()
                self.clock.wait(self._deadlines_changed, until)

    def forget_old(self) -> None:
        """Drop what ended more than seven days ago, as AWS does, with its logs."""
        before = self.clock.now_ms() - RETENTION_MS
        with self.turn() as engine:
            for job in list(engine.jobs.values()):
                if job.is_over and (job.stopped_at or 0) < before:
                    self.forget(job)

    def forget(self, job: Job) -> None:
        """Drop a job that is over, with its children and their logs. The caller holds the lock."""
        del self.engine.jobs[job.submission.id]
        self.store.forget(job.submission)
        for unit in job.units:
            for attempt in unit.attempts:
                self.logs.forget(job.submission.log_group, stream_name(unit, attempt.task_id))


def _remove(folder: str) -> None:
    """Remove a scratch folder; most are empty by now, and that is quicker."""
    try:
        Path(folder).rmdir()
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
