"""Jobs of the Batch that runs nothing: their states, one byte a child, and how AWS would show them.

Details of a child are made when they are asked for, so that arrays of ten thousand cost ten thousand bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.model.status import Status

STATES = (
    Status.SUBMITTED,
    Status.PENDING,
    Status.RUNNABLE,
    Status.STARTING,
    Status.RUNNING,
    Status.SUCCEEDED,
    Status.FAILED,
)
ENDED = {Status.SUCCEEDED, Status.FAILED}
NOT_ENDED = tuple(status for status in STATES if status not in ENDED)
ESSENTIAL = "Essential container in task exited"
CHILD_FAILED = "Array Child Job failed"
STARTS_AFTER_MS, RUNS_FOR_MS = 1000, 2000  # every attempt, so that the stub tells the same each time
EMPTY_LISTS = ("environment", "mountPoints", "networkInterfaces", "secrets", "ulimits", "volumes")


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How a child's last attempt ended; `reason` is the container's, `exit_code` None where it never exited.

    A child succeeded when its exit code is 0.
    """

    exit_code: int | None = 0
    reason: str | None = None
    status_reason: str = ESSENTIAL
    attempts: int = 1


DEPENDENCY_FAILED = End(exit_code=None, status_reason="Dependent Job failed", attempts=0)
SUCCESS = End()


@dataclass(frozen=True, slots=True)
class Where:
    """The account and region of ARNs."""

    region: str
    account: str

    def arn(self, resource: str) -> str:
        """The ARN of `job/…`, `job-queue/…` or `job-definition/…`."""
        return f"arn:aws:batch:{self.region}:{self.account}:{resource}"


@dataclass(kw_only=True, slots=True)
class StubJob:
    """One SubmitJob request that was taken: a plain job, or an array with a byte of state for each child."""

    job_id: str
    request: Mapping[str, Any]
    created_ms: int
    after: Sequence[tuple[StubJob, bool]]  # each dependency, and whether it is child by child
    where: Where
    terminated: str | None = None  # the reason that was given
    is_forgotten: bool = False
    _states: bytearray = field(init=False)
    _ends: dict[int, End] = field(init=False, default_factory=dict)  # those that are not a plain success

    def __post_init__(self) -> None:
        self._states = bytearray([STATES.index(Status.SUBMITTED)]) * len(self)

    def __len__(self) -> int:
        return int(self.request.get("arrayProperties", {}).get("size", 1))

    @property
    def is_array(self) -> bool:
        return "arrayProperties" in self.request

    @property
    def name(self) -> str:
        return str(self.request["jobName"])

    def count(self, status: Status) -> int:
        """How many children are in that state."""
        return self._states.count(STATES.index(status))

    @property
    def status(self) -> Status:
        """The job's own: an array is PENDING until all of its children ended."""
        if not self.is_array:
            return self.status_of(0)
        if self.count(Status.SUCCEEDED) + self.count(Status.FAILED) < len(self):
            return Status.SUBMITTED if self.count(Status.SUBMITTED) == len(self) else Status.PENDING
        return Status.FAILED if self.count(Status.FAILED) else Status.SUCCEEDED

    def status_of(self, index: int) -> Status:
        return STATES[self._states[index]]

    def indices(self, *statuses: Status) -> Iterator[int]:
        """The children in one of these states, in order."""
        wanted = {STATES.index(status) for status in statuses}
        return (index for index, state in enumerate(self._states) if state in wanted)

    def put(self, index: int, status: Status) -> None:
        """The child is in that state."""
        self._states[index] = STATES.index(status)

    def end(self, index: int, end: End) -> None:
        """The child ended so."""
        self.put(index, Status.SUCCEEDED if end.exit_code == 0 else Status.FAILED)
        if end != SUCCESS:
            self._ends[index] = end

    def gate(self, index: int) -> Status:
        """What a child waits for: SUCCEEDED when nothing any more, FAILED when in vain, else PENDING."""
        found = {job.status_of(index) if is_by_child else job.status for job, is_by_child in self.after}
        if Status.FAILED in found:
            return Status.FAILED
        return Status.SUCCEEDED if found <= {Status.SUCCEEDED} else Status.PENDING

    def child_id(self, index: int) -> str:
        return f"{self.job_id}:{index}" if self.is_array else self.job_id

    def detail(self) -> dict[str, Any]:
        """The job as DescribeJobs shows it, an array's parent without times, attempts and log."""
        if not self.is_array:
            return self.child_detail(0)
        summary = {str(status): self.count(status) for status in STATES}
        array = {"size": len(self), "statusSummary": summary, "statusSummaryLastUpdatedAt": self.created_ms}
        reason = {"statusReason": CHILD_FAILED} if self.status == Status.FAILED else {}
        return {
            **self._fixed(self.job_id),
            "status": str(self.status),
            "attempts": [],
            "container": self._container(),
            "arrayProperties": array,
            **reason,
        }

    def child_detail(self, index: int) -> dict[str, Any]:
        """A child, or a plain job, as DescribeJobs shows it."""
        status = self.status_of(index)
        end = self._ends.get(index, SUCCESS) if status in ENDED else None
        attempts = [self._attempt(index, number, end) for number in range(end.attempts)] if end else []
        container = self._container()
        if end and attempts:
            container |= attempts[-1]["container"]
        elif status == Status.RUNNING:
            container |= {"logStreamName": self._stream(index, 0)}
        return {
            **self._fixed(self.child_id(index)),
            "status": str(status),
            "attempts": attempts,
            "container": container,
            **self._times(status, end),
            **({"arrayProperties": {"index": index, "statusSummary": {}}} if self.is_array else {}),
            **({"statusReason": end.status_reason} if end else {}),
        }

    def child_summary(self, index: int) -> dict[str, Any]:
        """A child as ListJobs shows it."""
        shown = self.child_detail(index)
        names = (
            "jobArn",
            "jobId",
            "jobName",
            "createdAt",
            "status",
            "statusReason",
            "startedAt",
            "stoppedAt",
        )
        exit_of = {
            name: shown["container"][name] for name in ("exitCode", "reason") if name in shown["container"]
        }
        return {
            **{name: shown[name] for name in names if name in shown},
            "container": exit_of,
            "jobDefinition": shown["jobDefinition"],
            **({"arrayProperties": shown["arrayProperties"]} if self.is_array else {}),
        }

    def _fixed(self, job_id: str) -> dict[str, Any]:
        request = self.request
        return {
            "jobArn": self.where.arn(f"job/{job_id}"),
            "jobId": job_id,
            "jobName": self.name,
            "jobQueue": self.where.arn(f"job-queue/{request['jobQueue']}"),
            "createdAt": self.created_ms,
            "retryStrategy": {"attempts": 1, "evaluateOnExit": []},
            "dependsOn": list(request.get("dependsOn", [])),
            "jobDefinition": self.where.arn(f"job-definition/{request['jobDefinition']}:1"),
            "parameters": dict(request.get("parameters", {})),
            "tags": dict(request.get("tags", {})),
            "platformCapabilities": ["EC2"],
            "isCancelled": False,
            "isTerminated": self.terminated is not None,
        }

    def _container(self) -> dict[str, Any]:
        overrides = self.request.get("containerOverrides", {})
        return {**{name: [] for name in EMPTY_LISTS}, **overrides}

    def _times(self, status: Status, end: End | None) -> dict[str, int]:
        started = {"startedAt": self.created_ms + STARTS_AFTER_MS}
        if end is None:
            return started if status == Status.RUNNING else {}
        stopped = {"stoppedAt": self.created_ms + STARTS_AFTER_MS + RUNS_FOR_MS}
        return started | stopped if end.attempts else stopped

    def _attempt(self, index: int, number: int, end: End) -> dict[str, Any]:
        told = {"exitCode": end.exit_code, "reason": end.reason, "logStreamName": self._stream(index, number)}
        container = {name: value for name, value in told.items() if value is not None}
        times = self._times(Status.FAILED, end)
        return {
            "container": {**container, "networkInterfaces": []},
            "statusReason": end.status_reason,
            **times,
        }

    def _stream(self, index: int, attempt: int) -> str:
        task = uuid.uuid5(uuid.UUID(self.job_id), f"{index} {attempt}").hex
        return f"{self.request['jobDefinition']}/default/{task}"
