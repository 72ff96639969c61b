"""The door to the embedded endpoint: the only file of the client that knows `local_batch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_batch.endpoint import Endpoint

LOCAL_QUEUE = "local"


def start() -> Endpoint:
    """The endpoint on this machine runs and is ready."""
    from local_batch import endpoint

    return endpoint.start()


def stop() -> None:
    """Neither server runs."""
    from local_batch import endpoint

    endpoint.stop()


def status() -> dict[str, object]:
    """What runs where."""
    from local_batch import endpoint

    return endpoint.status()
