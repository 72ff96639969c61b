"""The faults that are on: what AWS does on a bad day."""

from __future__ import annotations

import random

from local_batch.errors import ThrottledError
from local_batch.job import START_FAILED, Outcome

FAULTS_PATH = "/local/faults"
PULL_FAILED = "CannotPullContainerError: Error response from daemon: pull access denied for {}"


class Faults:
    """The faults that are on."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.throttled_share = 0.0
        self.throttled: frozenset[str] = frozenset()
        self.images: frozenset[str] = frozenset()

    def meet(self, operation: str) -> None:
        """Pass, or refuse as AWS does under load. Raises: ThrottledError."""
        is_meant = not self.throttled or operation in self.throttled
        if is_meant and self._random.random() < self.throttled_share:
            raise ThrottledError("Too Many Requests")

    def at_start(self, image: str) -> Outcome | None:
        """Return how an attempt of this image ends before it starts, if it does."""
        if image not in self.images:
            return None
        return Outcome(reason=PULL_FAILED.format(image)[:255], status_reason=START_FAILED)

    def clear(self) -> None:
        """End them all."""
        self.throttled_share = 0.0
        self.throttled = self.images = frozenset()
