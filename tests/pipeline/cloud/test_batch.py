"""The door to Batch. SubmitJob has no idempotency token: whatever happens to an answer, a job is in the queue once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.cloud.batch import MAX_DESCRIBED, Batch
from pipeline.cloud.stub_batch import dropped, refusal, throttled

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
        return door(self, self.pauses)


def door(client: object, pauses: list[float] | None = None) -> Batch:
    cloud: Any = SimpleNamespace(batch=client, batch_once=client)
    return Batch(cloud, sleep=(pauses if pauses is not None else []).append)


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


def test_a_throttled_submit_waits_longer_each_time() -> None:
    service = Service(*[(throttled(), False)] * 3)
    assert service.door().submit(REQUEST) == "id-1"
    assert service.pauses == [0.5, 1, 2]


def test_a_job_that_another_client_submitted_during_a_pause_is_not_submitted_again() -> None:
    service = Service((throttled(), False))
    door = Batch(SimpleNamespace(batch=service, batch_once=service), lambda _: service.jobs.append("run-1-a"))  # type: ignore[arg-type]
    assert door.submit(REQUEST) == "id-1"
    assert service.jobs == ["run-1-a"]


def test_a_client_asks_before_each_attempt_whether_it_may_go_on() -> None:
    service, asked = Service((throttled(), False)), []
    service.door().submit(REQUEST, lambda: asked.append(len(service.jobs)))
    assert asked == [0, 0]


def test_a_refusal_is_raised_at_once() -> None:
    service = Service((refusal(400, "ClientException"), False))
    with pytest.raises(ClientError, match="ClientException"):
        service.door().submit(REQUEST)
    assert service.pauses == []


def test_a_submit_that_is_throttled_for_ever_is_raised_in_the_end() -> None:
    service = Service(*[(throttled(), False)] * 100)
    with pytest.raises(ClientError, match="Too Many Requests"):
        service.door().submit(REQUEST)
    assert len(service.pauses) == 7


def test_jobs_are_described_a_hundred_a_call_and_only_as_they_are_asked_for() -> None:
    asked: list[int] = []

    def describe_jobs(jobs: list[str]) -> dict[str, Any]:
        asked.append(len(jobs))
        return {"jobs": [{"jobId": job} for job in jobs]}

    found = door(SimpleNamespace(describe_jobs=describe_jobs)).describe(f"id-{n}" for n in range(250))
    next(found)
    assert asked == [MAX_DESCRIBED]
    assert len(list(found)) == 249
    assert asked == [100, 100, 50]


@pytest.mark.parametrize(("there", "registered"), [([], True), ([{}], False)])
def test_a_definition_is_registered_only_where_it_is_not(there: list[Any], registered: bool) -> None:
    asked: list[str] = []
    client = SimpleNamespace(
        describe_job_definitions=lambda **_: {"jobDefinitions": there},
        register_job_definition=lambda **words: asked.append(words["jobDefinitionName"]),
    )
    assert door(client).register({"jobDefinitionName": "d"}) == registered
    assert asked == (["d"] if registered else [])


def test_a_queue_that_does_not_tell_its_head_has_none() -> None:
    def refused(**_: Any) -> Any:
        raise refusal(403, "AccessDeniedException", operation="GetJobQueueSnapshot")

    assert door(SimpleNamespace(get_job_queue_snapshot=refused)).head_of_queue("q") is None


def test_slots_that_are_there_are_not_made_again() -> None:
    made: list[str] = []
    client = SimpleNamespace(
        describe_consumable_resource=lambda **_: {},
        create_consumable_resource=lambda **words: made.append(words["consumableResourceName"]),
    )
    door(client).create_slots("run-1", 4)
    assert made == []


def test_slots_that_are_not_there_are_made() -> None:
    made: list[dict[str, Any]] = []

    def absent(**_: Any) -> Any:
        raise refusal(400, "ClientException", operation="DescribeConsumableResource")

    client = SimpleNamespace(
        describe_consumable_resource=absent, create_consumable_resource=lambda **words: made.append(words)
    )
    door(client).create_slots("run-1", 4)
    assert made == [{"consumableResourceName": "run-1", "totalQuantity": 4, "resourceType": "REPLENISHABLE"}]


@pytest.mark.parametrize("error", [refusal(400, "ClientException"), dropped()])
def test_slots_that_batch_does_not_let_go_are_told_and_nothing_else(error: Exception) -> None:
    def kept(**_: Any) -> Any:
        raise error

    assert not door(SimpleNamespace(delete_consumable_resource=kept)).delete_slots("run-1")


def test_an_array_waits_for_what_its_first_ready_child_waits_for() -> None:
    client = SimpleNamespace(
        describe_jobs=lambda **_: {"jobs": [{"jobId": "A", "arrayProperties": {"size": 4}}]},
        list_jobs=lambda **_: {
            "jobSummaryList": [{"statusReason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"}]
        },
    )
    assert door(client).waiting_reason("A") == "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
