"""A queue leads to its stack, and a stack that is not ready is refused with a way on."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from moto.backends import get_backend

from pipeline.errors import InputError
from pipeline.stack.deployment import of_queue, of_stack
from tests.stack.conftest import REGION

Verb = Callable[..., int]
NAME = "batch-pipeline"
ACCOUNT = "123456789012"


def leave_in(status: str) -> None:
    """The stack is in a state that moto does not reach by itself."""
    [stack] = get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()
    stack.status = status


def test_a_queue_of_the_stack_brings_roles_log_group_and_images(setup: Verb) -> None:
    setup("--yes")
    batch, cloudformation = boto3.client("batch"), boto3.client("cloudformation")
    [arn] = [
        queue["jobQueueArn"]
        for queue in batch.describe_job_queues(jobQueues=[f"{NAME}-ondemand"])["jobQueues"]
    ]
    batch.tag_resource(resourceArn=arn, tags={"stack": NAME})  # moto leaves the template's tags out
    found = of_queue(batch, cloudformation, f"{NAME}-ondemand")
    assert found is not None
    assert found.repository_uri.endswith(f"/{NAME}")
    assert found.container_properties()["logConfiguration"]["options"] == {
        "awslogs-group": f"/aws/batch/{NAME}"
    }
    assert found.container_properties()["jobRoleArn"] != found.container_properties()["executionRoleArn"]


def test_a_queue_of_somebody_else_brings_nothing(setup: Verb) -> None:
    batch, cloudformation = boto3.client("batch"), boto3.client("cloudformation")
    assert of_queue(batch, cloudformation, "elsewhere") is None


def test_images_of_no_stack_say_how_to_make_one(account: None) -> None:
    with pytest.raises(InputError, match="setup --stack absent"):
        of_stack(boto3.client("cloudformation"), "absent")


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_half_made_stack_is_torn_down_first(setup: Verb, status: str) -> None:
    setup("--yes")
    leave_in(status)
    with pytest.raises(InputError, match="teardown --stack batch-pipeline, then setup again"):
        setup("--yes", "--max-vcpus", "8")


def test_a_stack_that_is_being_changed_is_left_alone(setup: Verb) -> None:
    setup("--yes")
    leave_in("UPDATE_IN_PROGRESS")
    with pytest.raises(InputError, match="is being changed"):
        setup("--yes", "--max-vcpus", "8")
