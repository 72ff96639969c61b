"""A step's job definition: which machine it needs, not what runs on it.

What runs (code, inputs, outputs) is said at submit, so a change of a script registers nothing. The name ends in a
digest of the content: the same content is the same definition, and revision 1 is the only one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.model.pipeline import Step
    from pipeline.model.site import Site

RECLAIMED = {"onStatusReason": "Host EC2*", "action": "RETRY"}  # Spot, or a host that died
ATTEMPTS_ON_RECLAIM = 5
FINAL_EXIT_CODES = ("65", "126", "127")  # docs/steps.md: wrong data, a program that is not there
PASSING_EXIT_CODES = ("69", "75")  # docs/steps.md: S3 did not answer, an input changed meanwhile
OUT_OF_MEMORY = {"onReason": "OutOfMemory*", "action": "EXIT"}  # the same memory would do no better
ANYTHING_ELSE = {"onReason": "*", "action": "EXIT"}


def job_definition(pipeline: str, step: Step, site: Site) -> dict[str, Any]:
    """The RegisterJobDefinition request of a step at a site.

    A step that mounts buckets is privileged: FUSE needs it, and Batch has no finer switch.
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
            **({"privileged": True} if step.mounts else {}),
            **site.container_properties,
            **_input_keys(step, site),
        },
        "retryStrategy": _retry_strategy(step.retries),
        "timeout": {"attemptDurationSeconds": step.timeout_s},
        "propagateTags": True,
        "tags": {"pipeline": pipeline, "step": step.name},
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    return {"jobDefinitionName": f"{pipeline}-{step.name}-{digest}", **body}


def _retry_strategy(retries: int) -> dict[str, Any]:
    """A host that is taken away, and what passes, are tried again; the program's own failures `retries` times.

    Batch counts all attempts together, so with retries of its own a step has those for reclaimed hosts too. It takes
    five conditions at most, the first that matches counts.
    Source: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
    """
    if not retries:
        passing = [{"onExitCode": code, "action": "RETRY"} for code in PASSING_EXIT_CODES]
        return {"attempts": ATTEMPTS_ON_RECLAIM, "evaluateOnExit": [RECLAIMED, *passing, ANYTHING_ELSE]}
    final = [{"onExitCode": code, "action": "EXIT"} for code in FINAL_EXIT_CODES]
    return {"attempts": retries + 1, "evaluateOnExit": [RECLAIMED, *final, OUT_OF_MEMORY]}


def _input_keys(step: Step, site: Site) -> dict[str, Any]:
    """The secret's key pair, for a step that mounts somebody else's bucket as its input."""
    if not site.input_keys_arn or "MOUNT_INPUT" not in step.parameters:
        return {}
    keys = ("access_key_id", "secret_access_key")
    return {
        "secrets": [
            {"name": f"MOUNT_INPUT_{key.upper()}", "valueFrom": f"{site.input_keys_arn}:{key}::"}
            for key in keys
        ]
    }
