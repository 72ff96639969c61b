"""What a queue of the stack brings with it: the roles, the log group and the images that its jobs use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    if not stack:
        return None
    pairs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return Deployment.of_outputs({pair["OutputKey"]: pair["OutputValue"] for pair in pairs})


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
