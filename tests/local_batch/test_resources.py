"""Queues, compute environments, policies, consumable resources, definitions and tags."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

from local_batch.clock import HandClock
from tests.local_batch.conftest import Local

OTHER_CLIENTS_SERVICE = "is not available on the local endpoint"


def make_environment(local: Local, name: str, vcpus: int) -> None:
    """Make a compute environment of a size."""
    resources = {"type": "EC2", "minvCpus": 0, "maxvCpus": vcpus, "subnets": ["s"], "instanceRole": "r"}
    local.batch.create_compute_environment(
        computeEnvironmentName=name, type="MANAGED", computeResources=resources
    )


def make_queue(local: Local, name: str, *environments: str, priority: int = 1, **request: object) -> str:
    """Make a queue on these environments and return its ARN."""
    order = [{"order": number, "computeEnvironment": each} for number, each in enumerate(environments)]
    answer = local.batch.create_job_queue(
        jobQueueName=name, priority=priority, computeEnvironmentOrder=order, **request
    )
    return str(answer["jobQueueArn"])


def test_every_operation_of_the_model_answers(quick: Local) -> None:
    model = quick.batch.meta.service_model
    from local_batch.operations import BATCH

    for name in set(model.operation_names) - set(BATCH):
        with pytest.raises(ClientError, match=OTHER_CLIENTS_SERVICE):
            call_with_nothing(quick, name)


def call_with_nothing(local: Local, operation: str) -> None:
    """Send an operation with an empty body, unchecked by the client."""
    client = local.client("batch")
    client.meta.events.register("before-parameter-build", lambda **_: None)
    client._make_api_call(operation, required_members(client, operation))


def required_members(client: object, operation: str) -> dict[str, object]:
    """Return the least that botocore's own check lets through."""
    shape = client.meta.service_model.operation_model(operation).input_shape  # type: ignore[attr-defined]
    return {name: least(shape.members[name]) for name in shape.required_members}


def least(shape: object) -> object:
    """Return a value of a shape, the smallest there is."""
    kind = shape.type_name  # type: ignore[attr-defined]
    if kind == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}  # type: ignore[attr-defined]
    values = {"list": [], "map": {"a": "b"}, "string": "x" * 20, "integer": 1, "long": 1, "boolean": True}
    return values[kind]


def test_a_definition_gets_a_new_revision_each_time_and_the_latest_active_one_is_used(quick: Local) -> None:
    quick.define("three")
    second, third = quick.define("three"), quick.define("three")
    assert third.endswith("three:3")
    quick.batch.deregister_job_definition(jobDefinition=third)
    assert quick.job(quick.submit(jobDefinition="three"))["jobDefinition"] == second
    quick.batch.deregister_job_definition(jobDefinition="three:2")
    assert quick.define("three").endswith("three:4")
    active = quick.batch.describe_job_definitions(jobDefinitionName="three", status="ACTIVE")[
        "jobDefinitions"
    ]
    assert [each["revision"] for each in active] == [4, 1]
    assert quick.batch.describe_job_definitions(jobDefinitions=["nothing"])["jobDefinitions"] == []


def test_the_default_queue_leads_to_an_environment_of_the_machine_s_size(quick: Local) -> None:
    (queue,) = quick.batch.describe_job_queues(jobQueues=["local"])["jobQueues"]
    assert (queue["state"], queue["status"], queue["statusReason"]) == (
        "ENABLED",
        "VALID",
        "JobQueue Healthy",
    )
    place = queue["computeEnvironmentOrder"][0]["computeEnvironment"]
    (environment,) = quick.batch.describe_compute_environments(computeEnvironments=[place])[
        "computeEnvironments"
    ]
    assert environment["computeResources"]["type"] == "EC2"
    assert environment["computeResources"]["maxvCpus"] == 4
    assert environment["statusReason"] == "ComputeEnvironment Healthy"


def test_the_queue_of_higher_priority_goes_first(quick: Local) -> None:
    make_environment(quick, "one", 1)
    make_queue(quick, "low", "one", priority=1)
    make_queue(quick, "high", "one", priority=10)
    gate = quick.submit("sleep 0.5", jobQueue="low")
    quick.wait(gate, "RUNNING")
    low, high = quick.submit("exit 0", jobQueue="low"), quick.submit("exit 0", jobQueue="high")
    quick.wait(low)
    assert quick.job(high)["stoppedAt"] <= quick.job(low)["startedAt"]


def test_an_environment_never_holds_more_than_its_size(quick: Local) -> None:
    make_environment(quick, "one", 1)
    make_queue(quick, "narrow", "one")
    parent = quick.submit("sleep 0.05", size=4, jobQueue="narrow")
    quick.wait(parent)
    jobs = sorted((quick.job(f"{parent}:{index}") for index in range(4)), key=lambda job: job["startedAt"])
    assert all(one["stoppedAt"] <= two["startedAt"] for one, two in itertools.pairwise(jobs))


def test_a_disabled_queue_takes_no_jobs_and_only_then_can_be_deleted(quick: Local) -> None:
    make_queue(quick, "brief", "local")
    with pytest.raises(ClientError, match="DISABLED"):
        quick.batch.delete_job_queue(jobQueue="brief")
    quick.batch.update_job_queue(jobQueue="brief", state="DISABLED")
    with pytest.raises(ClientError, match="DISABLED"):
        quick.submit("true", jobQueue="brief")
    quick.batch.delete_job_queue(jobQueue="brief")
    assert quick.batch.describe_job_queues(jobQueues=["brief"])["jobQueues"] == []


def test_an_environment_is_deleted_once_disabled_and_detached(quick: Local) -> None:
    make_environment(quick, "brief", 1)
    make_queue(quick, "on-brief", "brief")
    quick.batch.update_compute_environment(computeEnvironment="brief", state="DISABLED")
    with pytest.raises(ClientError, match="JobQueue"):
        quick.batch.delete_compute_environment(computeEnvironment="brief")
    quick.batch.update_job_queue(jobQueue="on-brief", state="DISABLED")
    quick.batch.delete_job_queue(jobQueue="on-brief")
    quick.batch.delete_compute_environment(computeEnvironment="brief")


def test_under_a_fair_share_policy_shares_take_turns_by_weight(quick: Local) -> None:
    shares = [
        {"shareIdentifier": "heavy", "weightFactor": 1.0},
        {"shareIdentifier": "light", "weightFactor": 0.25},
    ]
    policy = quick.batch.create_scheduling_policy(name="fair", fairsharePolicy={"shareDistribution": shares})[
        "arn"
    ]
    make_environment(quick, "one", 1)
    make_queue(quick, "fair", "one", schedulingPolicyArn=policy)
    with pytest.raises(ClientError, match="shareIdentifier"):
        quick.submit("true", jobQueue="fair")
    gate = quick.submit("sleep 0.5", jobQueue="fair", shareIdentifier="heavy")
    quick.wait(gate, "RUNNING")
    names = ["heavy"] * 6 + ["light"] * 6
    ids = [quick.submit("sleep 0.1", jobQueue="fair", shareIdentifier=name) for name in names]
    for job_id in ids:
        quick.wait(job_id)
    jobs = sorted((quick.job(job_id) for job_id in ids), key=lambda job: job["startedAt"])
    assert [job["shareIdentifier"] for job in jobs[:6]].count("light") >= 4


def test_a_higher_scheduling_priority_goes_first_within_its_share(quick: Local) -> None:
    policy = quick.batch.create_scheduling_policy(name="fair")["arn"]
    make_environment(quick, "one", 1)
    make_queue(quick, "fair", "one", schedulingPolicyArn=policy)
    quick.wait(quick.submit("sleep 0.5", jobQueue="fair", shareIdentifier="a"), "RUNNING")
    low, high = (
        quick.submit("true", jobQueue="fair", shareIdentifier="a", schedulingPriorityOverride=priority)
        for priority in (1, 9)
    )
    quick.wait(low)
    assert quick.job(high)["stoppedAt"] <= quick.job(low)["startedAt"]


def test_a_queue_s_time_limit_cancels_a_job_that_never_fits(timed: Local, hand_clock: HandClock) -> None:
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    action = {"reason": reason, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}
    make_queue(timed, "strict", "local", jobStateTimeLimitActions=[action])
    timed.define("large", memory_mib=100_000)
    job_id = timed.submit(jobQueue="strict", jobDefinition="large")
    hand_clock.advance(599)
    assert timed.status(job_id) == "RUNNABLE"
    hand_clock.advance(1)
    job = timed.wait(job_id)
    assert job["statusReason"] == f"Canceled by JobStateTimeLimit action due to reason: {reason}"


def test_a_licence_is_held_while_its_job_runs(quick: Local) -> None:
    quick.batch.create_consumable_resource(consumableResourceName="licence", totalQuantity=1)
    wanted = {"consumableResourceList": [{"consumableResource": "licence", "quantity": 1}]}
    parent = quick.submit("sleep 0.1", size=3, consumableResourcePropertiesOverride=wanted)
    quick.wait(parent)
    jobs = sorted((quick.job(f"{parent}:{index}") for index in range(3)), key=lambda job: job["startedAt"])
    assert all(one["stoppedAt"] <= two["startedAt"] for one, two in itertools.pairwise(jobs))
    shown = quick.batch.describe_consumable_resource(consumableResource="licence")
    assert (shown["totalQuantity"], shown["inUseQuantity"]) == (1, 0)


def test_tags_come_back_whatever_letters_their_keys_have(quick: Local) -> None:
    arn = quick.define("tagged", tags={"one": "1"})
    quick.batch.tag_resource(resourceArn=arn, tags={"a/b c": "ü=&", "two": "2"})
    assert quick.batch.list_tags_for_resource(resourceArn=arn)["tags"] == {
        "one": "1",
        "a/b c": "ü=&",
        "two": "2",
    }
    quick.batch.untag_resource(resourceArn=arn, tagKeys=["a/b c", "one"])
    assert quick.batch.list_tags_for_resource(resourceArn=arn)["tags"] == {"two": "2"}
    job = quick.job(quick.submit("true", tags={"mine": "1"}))
    assert quick.batch.list_tags_for_resource(resourceArn=job["jobArn"])["tags"] == {"mine": "1"}


def test_a_snapshot_shows_the_head_of_the_queue(quick: Local) -> None:
    quick.define("whole", vcpus=4)
    quick.wait(quick.submit("sleep 0.5", jobDefinition="whole"), "RUNNING")
    waiting = [quick.submit("true") for _ in range(3)]
    shown = quick.batch.get_job_queue_snapshot(jobQueue="local")
    assert [job["jobArn"].rpartition("/")[2] for job in shown["frontOfQueue"]["jobs"]] == waiting
    assert shown["queueUtilization"]["totalCapacityUsage"] == [{"capacityUnit": "VCPU", "quantity": 4.0}]


def test_fargate_takes_only_the_pairs_of_its_table(quick: Local) -> None:
    quick.define("none")
    requirements = [{"type": "VCPU", "value": "0.25"}, {"type": "MEMORY", "value": "4096"}]
    with pytest.raises(ClientError, match="Fargate"):
        quick.define(
            "bad", platformCapabilities=["FARGATE"], resourceRequirements=requirements, executionRoleArn="r"
        )
    requirements[1]["value"] = "512"
    quick.define(
        "good", platformCapabilities=["FARGATE"], resourceRequirements=requirements, executionRoleArn="r"
    )
    with pytest.raises(ClientError, match="can not run Jobs with capability FARGATE"):
        quick.submit("true", jobDefinition="good")
