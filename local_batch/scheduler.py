"""Which RUNNABLE jobs start now: queues by priority, environments in order, nothing over its size."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_batch.capacity import Capacity
from local_batch.consumables import Consumables
from local_batch.job import Job, Status, Submission
from local_batch.shares import Shares

# https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
TOO_MANY_VCPUS = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue "
    "cannot meet the CPU requirement of the job."
)
TOO_LARGE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher "
    "than that can be met by the CE(s) attached to the job queue."
)


@dataclass(slots=True)
class Environment:
    """A compute environment as the scheduler sees it."""

    name: str
    capacity: Capacity
    is_enabled: bool = True


@dataclass(slots=True)
class Queue:
    """A job queue as the scheduler sees it: its line of RUNNABLE jobs, and those that never fit."""

    name: str
    priority: int
    environments: list[str]
    shares: Shares = field(default_factory=Shares)
    misfits: dict[Job, int] = field(default_factory=dict)  # since when
    time_limits_ms: dict[str, int] = field(default_factory=dict)  # by what statusReason begins with


class Scheduler:
    """Admits jobs to compute environments by vCPU and memory.

    The head of a queue that could fit later holds its queue; one that never fits steps aside and says why.
    """

    def __init__(self, machine: Capacity) -> None:
        self.machine = machine
        self.environments: dict[str, Environment] = {}
        self.queues: dict[str, Queue] = {}
        self.consumables = Consumables()

    def push(self, job: Job) -> None:
        """Put a RUNNABLE job in its queue's line."""
        self.queues[job.submission.queue].shares.push(job)

    def admit(self, now: int) -> list[Job]:
        """Return the jobs that start now; their share of an environment is taken."""
        admitted: list[Job] = []
        for queue in sorted(self.queues.values(), key=lambda queue: -queue.priority):
            while (job := queue.shares.head(now)) is not None:
                place = self._place(queue, job.submission)
                if place is not None:
                    queue.shares.pop(job)
                    self._take(queue, place, job)
                    admitted.append(job)
                elif (why := self._never_fits(queue, job.submission)) is not None:
                    queue.shares.pop(job)
                    job.status_reason = why
                    queue.misfits[job] = now
                else:
                    break
        return admitted

    def release(self, job: Job, now: int) -> None:
        """Give back what the job took; its environment may have been deleted since."""
        asked = job.submission
        self.machine.give_back(asked)
        if job.environment in self.environments:
            self.environments[job.environment].capacity.give_back(asked)
        self.consumables.give_back(asked)
        if asked.queue in self.queues:
            self.queues[asked.queue].shares.release(job, now)

    def reconsider(self) -> None:
        """Put the misfits back in line: a queue or an environment has changed."""
        for queue in self.queues.values():
            misfits, queue.misfits = queue.misfits, {}
            for job in misfits:
                if job.status is Status.RUNNABLE:
                    job.status_reason = None
                    queue.shares.push(job)

    def expiries(self) -> list[tuple[int, str, Job]]:
        """Return when jobs that never fit have waited long enough for their queue, and the reason it names."""
        found = []
        for queue in self.queues.values():
            for job, since in queue.misfits.items():
                for reason, limit_ms in queue.time_limits_ms.items():
                    if job.status is Status.RUNNABLE and (job.status_reason or "").startswith(reason):
                        found.append((since + limit_ms, reason, job))
        return found

    def _enabled(self, queue: Queue) -> list[Environment]:
        places = (self.environments.get(name) for name in queue.environments)
        return [place for place in places if place is not None and place.is_enabled]

    def _place(self, queue: Queue, asked: Submission) -> Environment | None:
        if not self.machine.holds(asked) or not self.consumables.hold(asked):
            return None
        for place in self._enabled(queue):
            if place.capacity.holds(asked) and queue.shares.may_use(asked, place.capacity):
                return place
        return None

    def _take(self, queue: Queue, place: Environment, job: Job) -> None:
        self.machine.take(job.submission)
        place.capacity.take(job.submission)
        self.consumables.take(job.submission)
        queue.shares.take(job)
        job.environment = place.name
        job.status_reason = None

    def _never_fits(self, queue: Queue, asked: Submission) -> str | None:
        places = self._enabled(queue)
        if not places or (
            self.machine.could_hold(asked) and any(p.capacity.could_hold(asked) for p in places)
        ):
            return None
        if asked.vcpus > max(place.capacity.vcpus for place in places):
            return TOO_MANY_VCPUS
        return TOO_LARGE
