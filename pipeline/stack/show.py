"""The stack in words: how it stands, what it made, and the plain AWS CLI's commands over it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.stack.deployment import Deployment


def outputs(status: str, values: Mapping[str, str]) -> str:
    """The status and the outputs, one a line."""
    width = max(map(len, values), default=0)
    return "\n".join(
        [f"status  {status}", *(f"{name.ljust(width)}  {values[name]}" for name in sorted(values))]
    )


def aws_cli(deployment: Deployment, image: str = "base") -> str:
    """Commands of the plain AWS CLI that define a job and submit an array of eight over a script in the bucket."""
    properties = {
        "image": f"{deployment.repository_uri}:{image}-…",
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        **deployment.container_properties(),
    }
    overrides = {
        "command": ["first", "second"],
        "environment": [
            {"name": "BATCH_FILE_TYPE", "value": "script"},
            {"name": "BATCH_FILE_S3_URL", "value": f"s3://{deployment.bucket}/code/my_script.sh"},
        ],
    }
    return (
        "aws batch register-job-definition --job-definition-name my-step --type container \\\n"
        f"  --container-properties '{json.dumps(properties, ensure_ascii=False)}'\n"
        f"aws batch submit-job --job-name my-run --job-queue {deployment.queue} --job-definition my-step \\\n"
        f"  --array-properties size=8 --container-overrides '{json.dumps(overrides)}'"
    )
