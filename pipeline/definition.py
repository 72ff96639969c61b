"""A step's job definition: which machine it needs, not what runs on it.

What runs (code, inputs, outputs) is said at submit, so a change of a script registers nothing. The name ends in a
digest of the content: the same content is the same definition, and revision 1 is the only one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.model import Step
    from pipeline.site import Site

BAD_DATA_EXIT = 65  # EX_DATAERR of sysexits.h: the steps library exits so where a retry cannot help


def job_definition(pipeline: str, step: Step, site: Site) -> dict[str, Any]:
    """The RegisterJobDefinition request of a step at a site.

    A host that is taken away is retried like any failure; wrong data and timeouts are final.
    Source: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
    """
    body: dict[str, Any] = {
        "type": "container",
        "platformCapabilities": ["EC2"],
        "containerProperties": {
            "image": site.images.get(step.image, step.image),
            "resourceRequirements": [
                {"type": "VCPU", "value": str(step.vcpus)},
                {"type": "MEMORY", "value": str(step.memory_mib)},
            ],
            **site.container_properties,
        },
        "retryStrategy": {
            "attempts": step.retries + 1,
            "evaluateOnExit": [{"onExitCode": str(BAD_DATA_EXIT), "action": "EXIT"}],
        },
        "timeout": {"attemptDurationSeconds": step.timeout_s},
        "propagateTags": True,
        "tags": {"pipeline": pipeline, "step": step.name},
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    return {"jobDefinitionName": f"{pipeline}-{step.name}-{digest}", **body}
