"""The door to the embedded endpoint: the only file of the client that knows `local_batch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import Problem, UnreachableError

if TYPE_CHECKING:
    from local_batch.endpoint import Endpoint

LOCAL_QUEUE = "local"


def start(runner: str = "auto") -> Endpoint:
    """The endpoint on this machine runs and is ready; `runner` says how jobs run there. Raises: UnreachableError."""
    from local_batch import endpoint

    with _plain_errors():
        return endpoint.start(runner=runner)


def stop() -> None:
    """Neither server runs. Raises: UnreachableError."""
    from local_batch import endpoint

    with _plain_errors():
        endpoint.stop()


def fault(name: str, members: dict[str, Any]) -> dict[str, Any]:
    """The endpoint suffers the fault; what it met is returned. Raises: UnreachableError."""
    from local_batch import client

    with _plain_errors():
        return client.fault(name, **members)


def events(*, is_followed: bool) -> Iterator[dict[str, Any]]:
    """What happened to the endpoint's jobs, in EventBridge's form; with `is_followed`, what happens next too."""
    from local_batch import client

    return client.events(is_followed=is_followed)


def status() -> dict[str, object]:
    """Whether the endpoint runs, and where."""
    from local_batch import endpoint

    found = endpoint.status()
    urls = {"batch": found.endpoint.batch_url, "s3": found.endpoint.s3_url} if found.endpoint else {}
    return {"running": found.is_running, "home": str(found.home), "pid": found.pid, **urls}


def runs_as_process(images: Mapping[str, str]) -> set[str]:
    """The step's images (↔ what an engine calls each) of which jobs run as processes: no engine here holds them."""
    from local_batch.container import ContainerRunner, engine
    from local_batch.endpoint import status

    program = engine() if status().runner != "process" else None
    if program is None:
        return set(images)
    containers = ContainerRunner(program)
    return {name for name, called in images.items() if not containers.has_image(called)}


@contextmanager
def _plain_errors() -> Iterator[None]:
    from local_batch.errors import EndpointError

    try:
        yield
    except EndpointError as error:
        raise UnreachableError(Problem(**error.parts)) from error
