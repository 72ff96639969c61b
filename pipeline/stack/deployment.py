"""What a queue of the stack brings with it: the roles, the log group and the images that its jobs use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.errors import InputError, Problem

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

STACK_TAG = "stack"  # the template tags its queues with its own name


@dataclass(frozen=True)
class Deployment:
    """The outputs of one stack."""

    bucket: str
    queue: str
    on_demand_queue: str
    job_role_arn: str
    execution_role_arn: str
    log_group: str
    repository_uri: str
    architecture: str
    input_keys_arn: str | None = None

    @classmethod
    def of_outputs(cls, outputs: Mapping[str, str]) -> Deployment:
        """The deployment that a stack's outputs describe."""
        return cls(
            bucket=outputs["Bucket"],
            queue=_name(outputs["Queue"]),
            on_demand_queue=_name(outputs["OnDemandQueue"]),
            job_role_arn=outputs["JobRoleArn"],
            execution_role_arn=outputs["ExecutionRoleArn"],
            log_group=outputs["LogGroup"],
            repository_uri=outputs["RepositoryUri"],
            architecture=outputs["Architecture"],
            input_keys_arn=outputs.get("InputKeysArn"),
        )

    def container_properties(self) -> dict[str, Any]:
        """What a job definition's containerProperties take from the stack; the image is named by its digest."""
        return {
            "jobRoleArn": self.job_role_arn,
            "executionRoleArn": self.execution_role_arn,
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": self.log_group}},
        }


def of_queue(batch: BatchClient, cloudformation: Any, queue: str) -> Deployment | None:
    """The deployment that a queue belongs to; None for a queue that was not made by `setup`."""
    queues = batch.describe_job_queues(jobQueues=[queue])["jobQueues"]
    stack = queues[0].get("tags", {}).get(STACK_TAG) if queues else None
    return of_stack(cloudformation, stack) if stack else None


def of_stack(cloudformation: Any, name: str) -> Deployment:
    """The deployment that a stack made. Raises: InputError where it made none."""
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise no_stack(name, "CloudFormation") from error
    if not stack.get("Outputs"):
        what, fix = f"the stack {name!r} is not ready ({stack['StackStatus']})", "python main.py setup --show"
        raise InputError(Problem(what, "CloudFormation", fix))
    return Deployment.of_outputs({pair["OutputKey"]: pair["OutputValue"] for pair in stack["Outputs"]})


def no_stack(name: str, where: str) -> InputError:
    """What to raise where the stack should be and is not."""
    fix = f"python main.py setup --stack {name}"
    return InputError(Problem(f"there is no stack {name!r}", where, fix))


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
