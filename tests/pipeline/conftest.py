"""What the tests of the client share."""

from tests.pipeline.lab import lab

__all__ = ["lab"]
