"""A Batch in memory that takes every job and runs none, for tests and benchmarks of what works over the door.

It answers as AWS does, dependencies and arrays included, and it is what a pipeline's own tests may stand on:

    batch = StubBatch()
    …                                             # submit a run through it
    batch.run_all(lambda name, index: 1 if index == 3 else 0)

How AWS answers: https://docs.aws.amazon.com/batch/latest/userguide/array_jobs.html, and docs/local-batch.md. For jobs
that really run there is the endpoint on this machine.
"""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from pipeline.cloud.batch import MAX_DESCRIBED, Batch
from pipeline.cloud.stub_jobs import DEPENDENCY_FAILED, ENDED, NOT_ENDED, End, StubJob, Where
from pipeline.model.status import Status

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDefinitionTypeDef, JobDetailTypeDef, JobSummaryTypeDef

Outcome = Callable[[str, int], int | End | None]  # (job's name, index) ↔ exit code or end; None: it runs on
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
MAX_ARRAY, MAX_DEPENDENCIES = 10_000, 20
BAD_REQUEST, THROTTLED = 400, 429


def refusal(status: int, code: str, message: str = "", operation: str = "SubmitJob") -> ClientError:
    """What botocore raises for an answer with this status."""
    answer: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


def throttled(operation: str = "SubmitJob") -> ClientError:
    """What botocore raises when it is turned away for asking too often."""
    return refusal(THROTTLED, "TooManyRequestsException", "Too Many Requests", operation)


def dropped() -> ConnectionClosedError:
    """What botocore raises when the connection ends before an answer."""
    return ConnectionClosedError(endpoint_url="https://batch.us-east-1.amazonaws.com")


class StubBatch(Batch):
    """The door to a Batch of one queue, whose jobs end as they are told to; threads may share it.

    `requests` are the SubmitJob requests that were taken, `calls` counts the calls by AWS's names, and `slots` are the
    consumable resources that there are.
    """

    def __init__(
        self,
        queue: str = "stub",
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.slots: dict[str, int] = {}
        self._queue = queue
        self._where = Where(region, account)
        self._clock = clock
        self._lock = RLock()
        self._jobs: dict[str, StubJob] = {}
        self._definitions: dict[str, dict[str, Any]] = {}
        self._storms: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self._reasons: dict[str, str] = {}

    # What a test does to it

    def run_all(self, outcome: Outcome = lambda _name, _index: 0) -> None:
        """Every child that nothing keeps waiting ended as `outcome` says, and what waited for a failed one failed."""
        with self._lock:
            for (
                job
            ) in self._jobs.values():  # in the order of their submits: what a job waits for is before it
                for index in list(job.indices(*NOT_ENDED)):
                    self._run(job, index, outcome)

    def _run(self, job: StubJob, index: int, outcome: Outcome) -> None:
        self._settle_child(job, index)
        if job.status_of(index) in {Status.PENDING, *ENDED}:
            return
        ended = outcome(job.name, index)
        if ended is None:
            job.put(index, Status.RUNNING)
        else:
            job.end(index, ended if isinstance(ended, End) else End(exit_code=ended))

    def end(self, job_id: str, end: End | int = 0) -> None:
        """The child, or the plain job, ended so; what waited for it goes on."""
        with self._lock:
            job, index = self._child(job_id)
            job.end(index, end if isinstance(end, End) else End(exit_code=end))
            self._settle()

    def put(self, job_id: str, status: Status) -> None:
        """The child, or the plain job, is in that state, which is not an end."""
        with self._lock:
            job, index = self._child(job_id)
            job.put(index, status)

    def forget(self, job_id: str) -> None:
        """The job, with all its children, is not listed any more, as some days after its end."""
        self._jobs[job_id].is_forgotten = True

    def storm(self, method: str, error: Exception, times: int = 1) -> None:
        """The next calls of that method of the door raise the error, before anything came of them."""
        assert hasattr(Batch, method), method
        self._storms[method] += [error] * times

    def explain(self, job_id: str, reason: str) -> None:
        """Batch says that of a job which waits."""
        self._reasons[job_id] = reason

    def id_of(self, name: str) -> str:
        """The id of the job of that name. Raises: KeyError."""
        found = self._named(name)
        if found is None:
            raise KeyError(name)
        return found.job_id

    # The door

    def register(self, definition: Mapping[str, Any]) -> bool:
        with self._lock:
            self._called("register", "DescribeJobDefinitions")
            name = definition["jobDefinitionName"]
            if name in self._definitions:
                return False
            self.calls["RegisterJobDefinition"] += 1
            arn = self._where.arn(f"job-definition/{name}:1")
            self._definitions[name] = {
                **definition,
                "jobDefinitionArn": arn,
                "revision": 1,
                "status": "ACTIVE",
            }
            return True

    def definitions(self) -> Iterator[JobDefinitionTypeDef]:
        self._called("definitions", "DescribeJobDefinitions")
        return iter(cast("list[JobDefinitionTypeDef]", list(self._definitions.values())))

    def deregister(self, arn: str) -> None:
        self._called("deregister", "DeregisterJobDefinition")
        self._definitions.pop(arn.rpartition("/")[2].partition(":")[0], None)

    def submit(self, request: Mapping[str, Any], may_go_on: Callable[[], None] = lambda: None) -> str:
        with self._lock:
            self._called("submit", "ListJobs")
            if found := self._named(request["jobName"]):
                return found.job_id
        may_go_on()
        with self._lock:
            if found := self._named(request["jobName"]):
                return found.job_id
            self._check(request)
            self.calls["SubmitJob"] += 1
            self.requests.append(request)
            job = StubJob(
                job_id=str(uuid.UUID(int=len(self.requests), version=4)),
                request=request,
                created_ms=int(self._clock() * 1000),
                after=[
                    (self._jobs[one["jobId"]], one.get("type") == "N_TO_N")
                    for one in request.get("dependsOn", [])
                ],
                where=self._where,
            )
            self._jobs[job.job_id] = job
            self._settle_job(job)
            return job.job_id

    def find(self, queue: str, name: str) -> str | None:
        return next(self.find_all(queue, name), None)

    def find_all(self, queue: str, name: str) -> Iterator[str]:
        self._called("find_all", "ListJobs")
        found = self._named(name) if self._is_queue(queue) else None
        return iter([found.job_id] if found else [])

    def describe(self, job_ids: Iterable[str]) -> Iterator[JobDetailTypeDef]:
        for number, job_id in enumerate(job_ids):
            if number % MAX_DESCRIBED == 0:
                self._called("describe", "DescribeJobs")
            if found := self._detail(job_id):
                yield cast("JobDetailTypeDef", found)

    def failed_children(self, job_id: str) -> Iterator[JobSummaryTypeDef]:
        self._called("failed_children", "ListJobs")
        job = self._listed(job_id)
        for index in job.indices(Status.FAILED) if job and job.is_array else ():
            yield cast("JobSummaryTypeDef", job.child_summary(index))  # type: ignore[union-attr]

    def waiting_reason(self, job_id: str) -> str:
        self._called("waiting_reason", "ListJobs")
        return self._reasons.get(job_id, "")

    def head_of_queue(self, queue: str) -> str | None:
        self._called("head_of_queue", "GetJobQueueSnapshot")
        ready = (
            self._where.arn(f"job/{job.child_id(index)}")
            for job in self._jobs.values()
            for index in job.indices(Status.RUNNABLE)
        )
        return next(ready, None) if self._is_queue(queue) else None

    def terminate(self, job_id: str, reason: str) -> None:
        with self._lock:
            self._called("terminate", "TerminateJob")
            job = self._listed(job_id)
            if job and job.status not in ENDED:
                job.terminated = reason
                self._settle()

    def create_slots(self, name: str, number: int) -> None:
        self._called("create_slots", "CreateConsumableResource")
        self.slots.setdefault(name, number)

    def delete_slots(self, name: str) -> bool:
        try:
            self._called("delete_slots", "DeleteConsumableResource")
        except (ClientError, BotoCoreError):
            return False
        self.slots.pop(name, None)
        return True

    def queue(self, name: str) -> Mapping[str, Any] | None:
        self._called("queue", "DescribeJobQueues")
        if not self._is_queue(name):
            return None
        return {
            "jobQueueName": self._queue,
            "jobQueueArn": self._where.arn(f"job-queue/{self._queue}"),
            "state": "ENABLED",
            "status": "VALID",
            "priority": 1,
            "computeEnvironmentOrder": [
                {"order": 1, "computeEnvironment": self._where.arn("compute-environment/stub")}
            ],
        }

    def compute_environments(self, names: Iterable[str]) -> list[Mapping[str, Any]]:
        self._called("compute_environments", "DescribeComputeEnvironments")
        return [
            {
                "computeEnvironmentName": name.rpartition("/")[2],
                "type": "MANAGED",
                "state": "ENABLED",
                "status": "VALID",
                "computeResources": {"type": "EC2", "maxvCpus": 256, "instanceTypes": ["optimal"]},
            }
            for name in names
        ]

    # Inside

    def _called(self, method: str, operation: str) -> None:
        with self._lock:
            self.calls[operation] += 1
            if self._storms[method]:
                raise self._storms[method].popleft()

    def _is_queue(self, name: str) -> bool:
        return name in {self._queue, self._where.arn(f"job-queue/{self._queue}")}

    def _named(self, name: str) -> StubJob | None:
        found = (job for job in reversed(self._jobs.values()) if job.name == name and not job.is_forgotten)
        return next(found, None)

    def _listed(self, job_id: str) -> StubJob | None:
        job = self._jobs.get(job_id.partition(":")[0])
        return job if job and not job.is_forgotten else None

    def _child(self, job_id: str) -> tuple[StubJob, int]:
        parent, _, index = job_id.partition(":")
        return self._jobs[parent], int(index or 0)

    def _detail(self, job_id: str) -> dict[str, Any] | None:
        with self._lock:
            job, index = self._listed(job_id), job_id.partition(":")[2]
            if job is None:
                return None
            return job.child_detail(int(index)) if index else job.detail()

    def _check(self, request: Mapping[str, Any]) -> None:
        """Batch takes the request. Raises: ClientError in AWS's words where they are known."""
        size = request.get("arrayProperties", {}).get("size", 2)
        dependencies = request.get("dependsOn", [])
        problems = {
            "Job name should match valid pattern": not JOB_NAME.fullmatch(request["jobName"]),
            f"JobQueue {request['jobQueue']} not found.": not self._is_queue(request["jobQueue"]),
            "Array size must be between 2 and 10000": not 2 <= size <= MAX_ARRAY,
            "Job cannot have more than 20 dependencies": len(dependencies) > MAX_DEPENDENCIES,
            "A job that it depends on does not exist": any(
                self._listed(one["jobId"]) is None for one in dependencies
            ),
        }
        for message, is_so in problems.items():
            if is_so:
                raise refusal(BAD_REQUEST, "ClientException", message)

    def _settle(self) -> None:
        """What waits for nothing any more is ready, what waits in vain has failed, what was told to stop has."""
        for job in self._jobs.values():
            if job.status not in ENDED:
                self._settle_job(job)

    def _settle_job(self, job: StubJob) -> None:
        for index in range(len(job)):
            self._settle_child(job, index)

    def _settle_child(self, job: StubJob, index: int) -> None:
        status = job.status_of(index)
        if status in ENDED:
            return
        gate = job.gate(index) if job.after else Status.SUCCEEDED
        if job.terminated is not None and gate != Status.PENDING:
            has_run = status in {Status.STARTING, Status.RUNNING}
            exit_code = 137 if has_run else None
            job.end(index, End(exit_code=exit_code, status_reason=job.terminated, attempts=int(has_run)))
        elif gate == Status.FAILED:
            job.end(index, DEPENDENCY_FAILED)
        elif status in {Status.SUBMITTED, Status.PENDING}:
            job.put(index, Status.RUNNABLE if gate == Status.SUCCEEDED else Status.PENDING)
