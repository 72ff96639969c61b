"""Every IAM action that the stack grants, and the line of code that needs it.

`python -m tests.stack.permissions` writes the table into docs/aws.md; test_permissions.py holds that it is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "aws.md"
BEGIN, END = "<!-- permissions: written by tests/stack/permissions.py -->\n", "<!-- end of permissions -->\n"


@dataclass(frozen=True)
class Need:
    """`who` may do `action` on `what` because `line` is in `file`."""

    who: str
    action: str
    what: str
    file: str
    line: str


SUBMITTER, JOB, EXECUTION = "submitter", "job", "execution"
BATCH, STORAGE, S3 = "pipeline/cloud/batch.py", "pipeline/cloud/bucket.py", "fetch_and_run/s3.py"
STACK = "pipeline/stack/deployment.py"
NEEDS = (
    Need(SUBMITTER, "batch:SubmitJob", "the two queues, any definition", BATCH, "_client_once.submit_job("),
    Need(SUBMITTER, "batch:RegisterJobDefinition", "definitions", BATCH, "_client.register_job_definition("),
    Need(
        SUBMITTER, "batch:DeregisterJobDefinition", "definitions", BATCH, "_client.deregister_job_definition("
    ),
    Need(SUBMITTER, "batch:TagResource", "definitions, jobs", "pipeline/submit/definition.py", '"tags":'),
    Need(SUBMITTER, "batch:TerminateJob", "jobs", BATCH, "_client.terminate_job("),
    Need(SUBMITTER, "batch:CreateConsumableResource", "slots", BATCH, "_client.create_consumable_resource("),
    Need(SUBMITTER, "batch:DeleteConsumableResource", "slots", BATCH, "_client.delete_consumable_resource("),
    Need(
        SUBMITTER, "batch:DescribeConsumableResource", "slots", BATCH, "_client.describe_consumable_resource("
    ),
    Need(
        SUBMITTER, "batch:DescribeComputeEnvironments", "*", BATCH, "_client.describe_compute_environments("
    ),
    Need(SUBMITTER, "batch:DescribeJobDefinitions", "*", BATCH, "_client.describe_job_definitions("),
    Need(SUBMITTER, "batch:DescribeJobQueues", "*", BATCH, "_client.describe_job_queues("),
    Need(SUBMITTER, "batch:DescribeJobs", "*", BATCH, "_client.describe_jobs("),
    Need(SUBMITTER, "batch:GetJobQueueSnapshot", "the two queues", BATCH, "_client.get_job_queue_snapshot("),
    Need(SUBMITTER, "batch:ListJobs", "*", BATCH, '_client.get_paginator("list_jobs")'),
    Need(
        SUBMITTER,
        "ec2:DescribeInstanceTypes",
        "*",
        "pipeline/cloud/machines.py",
        '.get_paginator("describe_instance_types")',
    ),
    Need(SUBMITTER, "iam:PassRole", "the job and execution role", STACK, '"jobRoleArn": self.job_role_arn'),
    Need(
        SUBMITTER,
        "iam:SimulatePrincipalPolicy",
        "the job role",
        "pipeline/stack/role.py",
        "iam.simulate_principal_policy(",
    ),
    Need(SUBMITTER, "logs:GetLogEvents", "the log group", "pipeline/api/runs.py", ".get_log_events("),
    Need(SUBMITTER, "cloudformation:DescribeStacks", "the stack", STACK, "cloudformation.describe_stacks("),
    Need(
        SUBMITTER,
        "ecr:DescribeImages",
        "the repository",
        "pipeline/images/registry.py",
        "_ecr.describe_images(",
    ),
    Need(SUBMITTER, "s3:ListBucket", "the bucket", STORAGE, '_s3.get_paginator("list_objects_v2")'),
    Need(SUBMITTER, "s3:GetObject", "the bucket", STORAGE, "_s3.get_object("),
    Need(SUBMITTER, "s3:PutObject", "the layout's prefixes", STORAGE, "_s3.put_object("),
    Need(SUBMITTER, "s3:DeleteObject", "runs/: old claims", STORAGE, "_s3.delete_objects("),
    Need(JOB, "s3:ListBucket", "the layout's prefixes", S3, "obstore.list("),
    Need(JOB, "s3:GetObject", "the layout's prefixes", S3, "obstore.get("),
    Need(JOB, "s3:PutObject", "reference, results, failures", S3, "obstore.put("),
    Need(JOB, "s3:AbortMultipartUpload", "reference, results, failures", S3, "chunk_size=part"),
    Need(EXECUTION, "ecr:GetAuthorizationToken", "*", STACK, '"executionRoleArn": self.execution_role_arn'),
    Need(EXECUTION, "ecr:BatchCheckLayerAvailability", "the repository", STACK, '"executionRoleArn":'),
    Need(EXECUTION, "ecr:BatchGetImage", "the repository", STACK, '"executionRoleArn":'),
    Need(EXECUTION, "ecr:GetDownloadUrlForLayer", "the repository", STACK, '"executionRoleArn":'),
    Need(EXECUTION, "logs:CreateLogStream", "the log group", STACK, '"logDriver": "awslogs"'),
    Need(EXECUTION, "logs:PutLogEvents", "the log group", STACK, '"logDriver": "awslogs"'),
    Need(
        EXECUTION,
        "secretsmanager:GetSecretValue",
        "the foreign bucket's keys",
        "dockerfiles/base/entrypoint/mount.py",
        "def _keys(",
    ),
)


def table() -> str:
    """The needs as Markdown."""
    rows = [f"| {n.who} | `{n.action}` | {n.what} | [{n.file}](../{n.file}) | `{n.line}` |" for n in NEEDS]
    return "\n".join(["| role | action | on | file | line |", "|---|---|---|---|---|", *rows]) + "\n"


def main() -> None:
    """docs/aws.md holds the table of today."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
