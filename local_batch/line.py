"""The RUNNABLE jobs of one queue, in the order in which they start."""

from __future__ import annotations

import heapq

from local_batch.job import Job, Status

Ticket = tuple[int, int, int, int, int, Job]


class Line:
    """Retried jobs first, then the higher scheduling priority, the deeper in the graph, the earlier submitted.

    Deepest first brings the first finished sample sooner and keeps many slots full at the end.
    """

    def __init__(self) -> None:
        self._heap: list[Ticket] = []

    def push(self, job: Job) -> None:
        """Put a RUNNABLE job in its place."""
        heapq.heappush(self._heap, _ticket(job))

    def head(self) -> Job | None:
        """Return the next job to start; it stays in the line."""
        while self._heap and self._heap[0][-1].status is not Status.RUNNABLE:
            heapq.heappop(self._heap)
        return self._heap[0][-1] if self._heap else None

    def pop(self) -> Job:
        """Take the head out of the line."""
        return heapq.heappop(self._heap)[-1]

    def first(self, count: int) -> list[Job]:
        """Return the first jobs of the line, in order."""
        waiting = (ticket for ticket in self._heap if ticket[-1].status is Status.RUNNABLE)
        return [ticket[-1] for ticket in heapq.nsmallest(count, waiting)]


def _ticket(job: Job) -> Ticket:
    asked = job.submission
    return (0 if job.attempts else 1, -asked.priority, -asked.depth, asked.sequence, job.index or 0, job)
