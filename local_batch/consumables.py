"""Consumable resources: licences and the like, taken at STARTING and given back at the end when replenishable."""

from __future__ import annotations

from dataclasses import dataclass

from local_batch.job import Submission


@dataclass(slots=True)
class Consumable:
    """How many of one resource there are and how many are in use."""

    total: int
    is_replenishable: bool = True
    in_use: int = 0


class Consumables(dict[str, Consumable]):
    """Consumable resources by name."""

    def hold(self, job: Submission) -> bool:
        """True when all that the job wants is free; a resource that was deleted is not."""
        return all(
            name in self and self[name].in_use + quantity <= self[name].total
            for name, quantity in job.resources
        )

    def take(self, job: Submission) -> None:
        """Count the job's part as used, or as gone."""
        for name, quantity in job.resources:
            if self[name].is_replenishable:
                self[name].in_use += quantity
            else:
                self[name].total -= quantity

    def give_back(self, job: Submission) -> None:
        """Count the job's part as free again."""
        for name, quantity in job.resources:
            if name in self and self[name].is_replenishable:
                self[name].in_use -= quantity
