"""How much of a machine or compute environment there is, and how much of it is taken."""

from __future__ import annotations

from dataclasses import dataclass

from local_batch.job import Submission


@dataclass(slots=True)
class Capacity:
    """vCPUs and MiB, in all and in use."""

    vcpus: float
    memory_mib: int
    used_vcpus: float = 0.0
    used_memory_mib: int = 0

    def could_hold(self, job: Submission) -> bool:
        """True when the job fits while nothing else runs."""
        return job.vcpus <= self.vcpus and job.memory_mib <= self.memory_mib

    def holds(self, job: Submission) -> bool:
        """True when the job fits beside what runs now."""
        return (
            self.used_vcpus + job.vcpus <= self.vcpus
            and self.used_memory_mib + job.memory_mib <= self.memory_mib
        )

    def take(self, job: Submission) -> None:
        """Count the job's share as used."""
        self.used_vcpus += job.vcpus
        self.used_memory_mib += job.memory_mib

    def give_back(self, job: Submission) -> None:
        """Count the job's share as free."""
        self.used_vcpus -= job.vcpus
        self.used_memory_mib -= job.memory_mib
