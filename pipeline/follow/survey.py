"""One pass over all children of a run: their entries laid by, and what they add up to. Flat memory at any size."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.model.entry import ONCE, Entry
from pipeline.model.status import RunState, Status

SHOWN = 20  # failures that a summary names


class Survey:
    """The entries of a run, counted; `failed` are the samples of which a step did not succeed."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.counts: dict[str, Counter[Status]] = {}
        self.failed: set[str] = set()
        self.troubles: list[Entry] = []  # the first that failed by themselves
        self.trouble_count = 0
        self.once: dict[str, Entry] = {}
        self._file = tempfile.TemporaryFile("w+")  # noqa: SIM115 (it lives as long as this does; it is ASCII)
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        self.counts.setdefault(entry.step, Counter())[entry.status] += 1
        if entry.sample == ONCE:
            self.once[entry.step] = entry
        elif entry.status != Status.SUCCEEDED:
            self.failed.add(entry.sample)
        if entry.status in {Status.FAILED, Status.LOST}:
            self.trouble_count += 1
            if len(self.troubles) < SHOWN:
                self.troubles.append(entry)
        self._file.write(json.dumps(entry.to_row()) + "\n")

    def entries(self) -> Iterator[Entry]:
        """Every entry again, in the same order."""
        self._file.seek(0)
        return (Entry.from_cells(json.loads(line)) for line in self._file)

    def state(self, *, has_ended: bool, is_cancelled: bool) -> RunState:
        """How the run stands."""
        if not has_ended:
            return RunState.RUNNING
        if all(set(counts) <= {Status.SUCCEEDED} for counts in self.counts.values()):
            return RunState.SUCCEEDED
        return RunState.CANCELLED if is_cancelled else RunState.FAILED

    def count(self, step: str) -> dict[str, int]:
        """How many children of a step are in each status, the two ends always there."""
        return {
            "SUCCEEDED": 0,
            "FAILED": 0,
            **{str(name): n for name, n in self.counts.get(step, {}).items()},
        }


def troubles_json(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Failures as a summary names them."""
    return [{"sample": entry.sample, "step": entry.step, **entry.to_json()} for entry in entries]
