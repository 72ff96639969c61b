"""What a runner is asked to run: one attempt of one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from local_batch.job import Outcome

SERVER_MARK = "AWS_BATCH_LOCAL_SERVER"


@dataclass(frozen=True, slots=True)
class Launch:
    """One attempt, ready to run: its variables are the job's and Batch's, `container` is its merged container.

    `is_command_added`: the definition has no command, so its image's entrypoint is meant.
    """

    task_id: str
    command: list[str]
    environment: dict[str, str]
    container: dict[str, Any]
    vcpus: float
    memory_mib: int
    scratch: str
    log: str
    is_command_added: bool = False


class Runner(Protocol):
    """Starts containers, or what stands for them."""

    def run(self, launch: Launch, started: Callable[[], None]) -> Outcome:
        """Run one attempt to its end; `started` is called once it runs."""
        ...

    def kill(self, task_id: str, *, is_forced: bool) -> None:
        """Ask an attempt to stop (SIGTERM), or stop it (SIGKILL); one that is gone is left alone."""
        ...

    def sweep(self, server_id: str) -> None:
        """End all that an earlier server of this id left running."""
        ...
