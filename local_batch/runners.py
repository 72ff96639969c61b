"""Which runner an endpoint has: processes, containers, or whichever suits each job."""

from __future__ import annotations

import time
from collections.abc import Callable

from local_batch.container import ContainerRunner, engine
from local_batch.errors import EndpointError
from local_batch.job import Outcome
from local_batch.launch import Launch, Runner
from local_batch.process import ProcessRunner

LOOK_AGAIN_S = 10.0


class AutoRunner:
    """Runs an attempt in a container where its image is on this machine, else as a process."""

    def __init__(self, containers: ContainerRunner, processes: ProcessRunner) -> None:
        self._containers = containers
        self._processes = processes
        self._missing: dict[str, float] = {}

    def run(self, launch: Launch, started: Callable[[], None]) -> Outcome:
        """Run one attempt to its end."""
        return self._suiting(launch.container["image"]).run(launch, started)

    def kill(self, task_id: str, *, is_forced: bool) -> None:
        """Signal the attempt, wherever it runs."""
        if not self._processes.has(task_id):
            self._containers.kill(task_id, is_forced=is_forced)
        self._processes.kill(task_id, is_forced=is_forced)

    def sweep(self, server_id: str) -> None:
        """End all that an earlier server of this id left running."""
        self._containers.sweep(server_id)
        self._processes.sweep(server_id)

    def _suiting(self, image: str) -> Runner:
        if time.monotonic() - self._missing.get(image, -LOOK_AGAIN_S) < LOOK_AGAIN_S:
            return self._processes
        if self._containers.has_image(image):
            return self._containers
        self._missing[image] = time.monotonic()
        return self._processes


def runner_of(kind: str) -> Runner:
    """Return the runner of `process`, `container` or `auto`.

    Raises: EndpointError when containers are wanted and no engine answers.
    """
    if kind == "process":
        return ProcessRunner()
    program = engine()
    if program is not None:
        containers = ContainerRunner(program)
        return containers if kind == "container" else AutoRunner(containers, ProcessRunner())
    if kind == "container":
        raise EndpointError(
            "containers are wanted and no container engine answers",
            where="docker info, podman info",
            fix="start docker or podman, or use --runner process",
        )
    return ProcessRunner()
