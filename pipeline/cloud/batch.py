"""The door to AWS Batch: register, submit, describe, terminate."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from pipeline.cloud.session import error_code

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDefinitionTypeDef, JobDetailTypeDef, JobSummaryTypeDef

    from pipeline.cloud.session import Cloud

MAX_DESCRIBED = 100  # https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobs.html
MAX_LISTED = 100  # https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html
SUBMIT_PAUSES_S = (0.5, 1, 2, 4, 8, 16, 30)
THROTTLED = 429


class Batch:
    """One account's Batch. Raises: botocore's errors."""

    def __init__(self, cloud: Cloud, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = cloud.batch
        self._client_once = cloud.batch_once
        self._sleep = sleep

    def register(self, definition: Mapping[str, Any]) -> bool:
        """The definition is active; True when it had to be registered. Its name says its content."""
        name = definition["jobDefinitionName"]
        found = self._client.describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
        if found["jobDefinitions"]:
            return False
        self._client.register_job_definition(**definition)
        return True

    def definitions(self) -> Iterator[JobDefinitionTypeDef]:
        """Every active job definition."""
        pages = self._client.get_paginator("describe_job_definitions").paginate(status="ACTIVE")
        return (definition for page in pages for definition in page["jobDefinitions"])

    def deregister(self, arn: str) -> None:
        """The definition takes no new jobs; jobs that were submitted keep it."""
        self._client.deregister_job_definition(jobDefinition=arn)

    def submit(self, request: Mapping[str, Any], may_go_on: Callable[[], None] = lambda: None) -> str:
        """The job of that name is in the queue, once, and this is its id.

        SubmitJob has no idempotency token, so the name is looked up before every attempt: the one before it may have
        been taken though its answer was lost, and while this client slept another one may have submitted. `may_go_on`
        is called right before each attempt, and raises where this client has no business to submit any more.
        """
        for pause in (*SUBMIT_PAUSES_S, None):
            if job_id := self.find(request["jobQueue"], request["jobName"]):
                return job_id
            may_go_on()
            try:
                return self._client_once.submit_job(**request)["jobId"]
            except (ClientError, HTTPClientError) as error:
                if pause is None or not _may_try_again(error):
                    raise
                self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def find(self, queue: str, name: str) -> str | None:
        """The id of a job of exactly that name in the queue, whatever its state; None when there is none."""
        return next(self.find_all(queue, name), None)

    def find_all(self, queue: str, name: str) -> Iterator[str]:
        """The ids of the jobs of exactly that name: one, unless a client slept in the midst of its SubmitJob."""
        pages = self._client.get_paginator("list_jobs").paginate(
            jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [name]}]
        )
        for page in pages:
            for job in page["jobSummaryList"]:
                if job["jobName"] == name:
                    yield job["jobId"]

    def describe(self, job_ids: Iterable[str]) -> Iterator[JobDetailTypeDef]:
        """The jobs that Batch still knows, a hundred a call."""
        for ids in _batched(job_ids):
            yield from self._client.describe_jobs(jobs=list(ids))["jobs"]

    def failed_children(self, job_id: str) -> Iterator[JobSummaryTypeDef]:
        """The failed children of an array, a hundred a call and no more calls than are asked for."""
        pages = self._client.get_paginator("list_jobs").paginate(
            arrayJobId=job_id, jobStatus="FAILED", PaginationConfig={"PageSize": MAX_LISTED}
        )
        for page in pages:
            yield from page["jobSummaryList"]

    def waiting_reason(self, job_id: str) -> str:
        """Why a job, or the first child of an array that is ready, does not start; empty while Batch says nothing."""
        [job] = self.describe([job_id])
        if job.get("arrayProperties", {}).get("size"):
            ready = self._client.list_jobs(arrayJobId=job_id, jobStatus="RUNNABLE", maxResults=1)[
                "jobSummaryList"
            ]
            return ready[0].get("statusReason", "") if ready else ""
        return job.get("statusReason", "")

    def head_of_queue(self, queue: str) -> str | None:
        """The ARN of the job that the queue starts next; None when none is ready or Batch does not tell."""
        try:
            front = self._client.get_job_queue_snapshot(jobQueue=queue).get("frontOfQueue", {})
        except ClientError:
            return None
        return next((job["jobArn"] for job in front.get("jobs", [])), None)

    def terminate(self, job_id: str, reason: str) -> None:
        """The job, and all of its children, are told to stop."""
        self._client.terminate_job(jobId=job_id, reason=reason)

    def create_slots(self, name: str, number: int) -> None:
        """There is a consumable resource of so many slots: a job that asks for one waits until one is free.

        Source: https://docs.aws.amazon.com/batch/latest/userguide/resource-aware-scheduling.html
        """
        try:
            self._client.describe_consumable_resource(consumableResource=name)
        except ClientError as error:
            if error_code(error) != "ClientException":
                raise
            self._client.create_consumable_resource(
                consumableResourceName=name, totalQuantity=number, resourceType="REPLENISHABLE"
            )

    def delete_slots(self, name: str) -> bool:
        """The consumable resource is gone; False where Batch did not let it go: nothing but a name is left then."""
        try:
            self._client.delete_consumable_resource(consumableResource=name)
        except (ClientError, BotoCoreError):
            return False
        return True

    def queue(self, name: str) -> Mapping[str, Any] | None:
        """The queue of that name or ARN; None when there is none."""
        found = self._client.describe_job_queues(jobQueues=[name])["jobQueues"]
        return found[0] if found else None

    def compute_environments(self, names: Iterable[str]) -> list[Mapping[str, Any]]:
        """The compute environments of these names or ARNs."""
        found = self._client.describe_compute_environments(computeEnvironments=list(names))
        return list(found["computeEnvironments"])


def _may_try_again(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status == THROTTLED or status >= 500
    return True


def _batched(items: Iterable[str]) -> Iterator[tuple[str, ...]]:
    iterator = iter(items)
    while batch := tuple(itertools.islice(iterator, MAX_DESCRIBED)):
        yield batch
