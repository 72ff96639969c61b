"""The faults that are on: what AWS does on a bad day."""

from __future__ import annotations

import random

from local_batch.errors import ThrottledError
from local_batch.job import START_FAILED, Outcome
from local_batch.slow_s3 import SlowS3

S3 = "AWS_ENDPOINT_URL_S3"
FAULTS_PATH = "/local/faults"
PULL_FAILED = "CannotPullContainerError: Error response from daemon: pull access denied for {}"


class Faults:
    """The faults that are on."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.throttled_share = 0.0
        self.throttled: frozenset[str] = frozenset()
        self.images: frozenset[str] = frozenset()
        self.slow_s3: SlowS3 | None = None

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

    def through_slow_s3(self, environment: dict[str, str]) -> dict[str, str]:
        """Return a job's variables, leading to S3 through the slow door while it is open."""
        return environment if self.slow_s3 is None else {**environment, S3: self.slow_s3.url}

    def slow_down(self, s3_url: str, share: float) -> None:
        """Open a slow door before S3 for the attempts to come."""
        if self.slow_s3 is not None:
            self.slow_s3.close()
        self.slow_s3 = SlowS3(s3_url, share)

    def clear(self) -> None:
        """End them all."""
        if self.slow_s3 is not None:
            self.slow_s3.close()
        self.slow_s3 = None
        self.throttled_share = 0.0
        self.throttled = self.images = frozenset()
