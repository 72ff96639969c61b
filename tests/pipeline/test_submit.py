"""SubmitJob has no idempotency token: whatever happens to an answer, a job is in the queue once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.batch import Batch
from tests.pipeline.fakes import dropped, refusal

REQUEST = {"jobName": "run-1-a", "jobQueue": "q", "jobDefinition": "d"}


class Service:
    """A queue of jobs whose answers go wrong as told: each an exception, and whether the job was taken first."""

    def __init__(self, *troubles: tuple[Exception, bool]) -> None:
        self.troubles = list(troubles)
        self.jobs: list[str] = []
        self.lookups = 0
        self.pauses: list[float] = []

    def submit_job(self, jobName: str, **_: Any) -> dict[str, str]:  # noqa: N803 (boto3's spelling)
        error, taken = self.troubles.pop(0) if self.troubles else (None, True)
        if taken:
            self.jobs.append(jobName)
        if error:
            raise error
        return {"jobId": f"id-{len(self.jobs)}"}

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **_: Any) -> list[dict[str, Any]]:
        self.lookups += 1
        found = [{"jobName": name, "jobId": f"id-{number}"} for number, name in enumerate(self.jobs, 1)]
        return [{"jobSummaryList": found}]

    def door(self) -> Batch:
        cloud: Any = SimpleNamespace(batch=self, batch_once=self)
        return Batch(cloud, sleep=self.pauses.append)


def test_a_job_that_is_in_the_queue_already_is_not_submitted_again() -> None:
    service = Service()
    service.jobs.append("run-1-a")
    assert service.door().submit(REQUEST) == "id-1"
    assert service.jobs == ["run-1-a"]


def test_a_job_of_a_longer_name_is_another_job() -> None:
    service = Service()
    service.jobs.append("run-1-a-1")
    assert service.door().submit(REQUEST) == "id-2"


@pytest.mark.parametrize("error", [dropped(), refusal(500, "ServerException")])
@pytest.mark.parametrize("taken", [True, False])
def test_an_answer_that_is_lost_leaves_one_job(error: Exception, taken: bool) -> None:
    service = Service((error, taken))
    assert service.door().submit(REQUEST) == "id-1"
    assert service.jobs == ["run-1-a"]


def test_a_throttled_submit_waits_longer_each_time_and_looks_nothing_up() -> None:
    service = Service(*[(refusal(429, "TooManyRequestsException"), False)] * 3)
    assert service.door().submit(REQUEST) == "id-1"
    assert service.pauses == sorted(service.pauses)
    assert len(service.pauses) == 3
    assert service.lookups == 1


def test_a_refusal_is_raised_at_once() -> None:
    service = Service((refusal(400, "ClientException"), False))
    with pytest.raises(ClientError, match="ClientException"):
        service.door().submit(REQUEST)
    assert service.pauses == []
