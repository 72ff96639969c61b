"""The stack in words: what it costs, how it stands, and the plain AWS CLI's commands over it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.stack.cost import BUCKET_GB_MONTH, IMAGES_GB_MONTH, SECRET_MONTH, SPOT_SHARE, VCPU_HOUR, Cost
from pipeline.stack.deployment import Deployment


def cost(cost: Cost) -> str:
    """Lines that say what is paid while idle, while running, and at the very most."""
    secret = f", the secret ${SECRET_MONTH:.2f} a month" if cost.has_secret else ""
    return (
        "What it costs (US dollars, list prices of us-east-1; other regions differ)\n"
        f"  idle     no machine runs; storage only: bucket ${BUCKET_GB_MONTH} a GB and month, "
        f"images ${IMAGES_GB_MONTH:.2f}{secret}\n"
        f"  running  about ${VCPU_HOUR} a vCPU and hour on demand, ${VCPU_HOUR * SPOT_SHARE:.2f} on Spot; "
        f"${cost.disk_hour:.2f} an hour for each machine's {cost.disk_gib} GiB disk\n"
        f"  at most  {cost.max_vcpus} vCPUs on Spot and {cost.max_vcpus} on demand at once: "
        f"about ${cost.most_hour:.0f} an hour"
    )


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
