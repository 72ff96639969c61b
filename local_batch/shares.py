"""Fair share: whose turn it is among the share identifiers of one queue.

Source: https://docs.aws.amazon.com/batch/latest/userguide/job_scheduling.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local_batch.capacity import Capacity
from local_batch.job import Job, Submission
from local_batch.line import Line

DEFAULT_WINDOW_S = 600


@dataclass(frozen=True, slots=True)
class FairShare:
    """A fairsharePolicy: seconds over which use is forgotten, percentage kept back, weight by share identifier."""

    decay_s: int = 0
    reservation: int = 0
    weights: dict[str, float] = field(default_factory=dict)

    def weight(self, share: str) -> float:
        """Return a share's weight factor: an exact entry, else the longest `prefix*`, else 1. Lower means more."""
        if share in self.weights:
            return self.weights[share]
        prefixes = [key for key in self.weights if key.endswith("*") and share.startswith(key[:-1])]
        return self.weights[max(prefixes, key=len)] if prefixes else 1.0


@dataclass(slots=True)
class Share:
    """One share identifier's line and what it has used, in vCPU-seconds that fade."""

    line: Line = field(default_factory=Line)
    running_vcpus: float = 0.0
    used: float = 0.0
    counted_at: int = 0

    def count(self, now: int, window_s: float) -> None:
        """Add what has run since the last count; what is older than the window is worth half or less."""
        passed_s = max(0, now - self.counted_at) / 1000 if self.counted_at else 0.0
        self.used = self.used * 0.5 ** (passed_s / window_s) + self.running_vcpus * passed_s
        self.counted_at = now


class Shares:
    """The lines of a queue: one when it is first-in first-out, one a share identifier under a policy."""

    def __init__(self, policy: FairShare | None = None) -> None:
        self.policy = policy
        self.by_name: dict[str, Share] = {}

    def push(self, job: Job) -> None:
        """Put a RUNNABLE job in its share's line."""
        self._share(job.submission).line.push(job)

    def head(self, now: int) -> Job | None:
        """Return the job whose turn it is."""
        if self.policy is None:
            share = self.by_name.get("")
            return share.line.head() if share else None
        waiting = [
            (name, job) for name, share in self.by_name.items() if (job := share.line.head()) is not None
        ]
        return min(waiting, key=lambda each: self._debt(each[0], now))[1] if waiting else None

    def pop(self, job: Job) -> None:
        """Take the head out of its line."""
        self._share(job.submission).line.pop()

    def may_use(self, asked: Submission, capacity: Capacity) -> bool:
        """True unless the job would use what computeReservation keeps for shares that are not active yet."""
        if self.policy is None or not self.policy.reservation:
            return True
        active = max(1, len(self.active()))
        kept = capacity.vcpus * (self.policy.reservation / 100) ** active
        return capacity.used_vcpus == 0 or capacity.used_vcpus + asked.vcpus <= capacity.vcpus - kept

    def active(self) -> list[str]:
        """Return the share identifiers with a job that runs or waits to."""
        return [name for name, share in self.by_name.items() if share.running_vcpus or share.line.head()]

    def take(self, job: Job) -> None:
        """Count the job as running in its share."""
        self._share(job.submission).running_vcpus += job.submission.vcpus

    def release(self, job: Job, now: int) -> None:
        """Count the job as ended in its share."""
        share = self._share(job.submission)
        share.count(now, self._window_s)
        share.running_vcpus -= job.submission.vcpus

    def first(self, count: int) -> list[Job]:
        """Return the first RUNNABLE jobs over all lines."""
        jobs = [job for share in self.by_name.values() for job in share.line.first(count)]
        return jobs[:count]

    @property
    def _window_s(self) -> float:
        return (self.policy.decay_s if self.policy else 0) or DEFAULT_WINDOW_S

    def _share(self, asked: Submission) -> Share:
        return self.by_name.setdefault((asked.share or "") if self.policy else "", Share())

    def _debt(self, name: str, now: int) -> tuple[float, float]:
        share = self.by_name[name]
        share.count(now, self._window_s)
        weight = self.policy.weight(name) if self.policy else 1.0
        return (share.used * weight, share.running_vcpus * weight)
