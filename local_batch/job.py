"""The records of a job: what was submitted (shared by all children of an array), what became of each child."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """A job's state. Source: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html"""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED})
LIVE = frozenset({Status.STARTING, Status.RUNNING})

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
DEPENDENCY_FAILED = "Dependent Job failed"
CHILD_FAILED = "Array Child Job failed"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
START_FAILED = "Task failed to start"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of dependsOn: `job_id` is absent for SEQUENTIAL alone, `kind` for a whole-job gate."""

    job_id: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class RetryRule:
    """One entry of evaluateOnExit; an absent pattern holds always."""

    action: str
    on_status_reason: str | None = None
    on_reason: str | None = None
    on_exit_code: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One SubmitJob call, checked and merged with its job definition."""

    id: str
    sequence: int
    created_at: int
    name: str
    queue: str
    definition: str
    container: dict[str, Any]
    vcpus: float
    memory_mib: int
    depth: int = 0
    size: int | None = None
    depends_on: tuple[Dependency, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    attempts: int = 1
    retry_rules: tuple[RetryRule, ...] = ()
    timeout_s: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    propagate_tags: bool | None = None
    share: str | None = None
    priority: int = 0
    platforms: tuple[str, ...] = ("EC2",)
    log_group: str = "/aws/batch/job"
    log_prefix: str = ""
    resources: tuple[tuple[str, int], ...] = ()
    start_error: str | None = None
    is_command_added: bool = False  # the definition has none, its image's entrypoint is meant

    @property
    def is_sequential(self) -> bool:
        """True when child i + 1 waits for child i."""
        return any(dependency.kind == "SEQUENTIAL" for dependency in self.depends_on)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a container that has ended."""

    task_id: str
    started_at: int | None
    stopped_at: int
    exit_code: int | None
    reason: str | None
    status_reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a container ended: no exit code when it never ran or its host went."""

    exit_code: int | None = None
    reason: str | None = None
    status_reason: str = EXITED


@dataclass(slots=True, eq=False)
class Job:
    """A plain job, or one child of an array job: what can run."""

    submission: Submission
    index: int | None = None
    parent: ArrayJob | None = None
    status: Status = Status.SUBMITTED
    status_reason: str | None = None
    started_at: int | None = None
    stopped_at: int | None = None
    attempts: tuple[Attempt, ...] = ()
    waiting: int = 0
    task_id: str | None = None
    environment: str | None = None
    end_reason: str | None = None
    is_cancelled: bool = False
    is_terminated: bool = False
    dependents: list[tuple[str | None, Job]] | None = None

    @property
    def id(self) -> str:
        """The job id; a child's is `<parent>:<index>`."""
        return self.submission.id if self.index is None else f"{self.submission.id}:{self.index}"

    @property
    def is_over(self) -> bool:
        """True when it will never change again."""
        return self.status in TERMINAL

    @property
    def units(self) -> list[Job]:
        """What can run in it: itself."""
        return [self]

    def __lt__(self, other: Job) -> bool:
        return (self.submission.sequence, self.index or 0) < (other.submission.sequence, other.index or 0)


@dataclass(slots=True, eq=False)
class ArrayJob(Job):
    """An array's parent: it never runs, it counts its children."""

    children: list[Job] = field(default_factory=list)
    counts: dict[Status, int] = field(default_factory=dict)
    counted_at: int = 0

    @property
    def units(self) -> list[Job]:
        """What can run in it: its children."""
        return self.children
