"""What a result depends on beside its inputs and its sample, as a digest. Pure: from what was read, once."""

from __future__ import annotations

import hashlib
import json

from pipeline.model.pipeline import Step
from pipeline.plan.code import StepCode
from steps.library.contract import LIBRARY


def fingerprint(step: Step, code: StepCode, image: str) -> str:
    """The digest of a step's code, image content, parameters and declarations.

    The steps library counts by the number that it raises when its own change makes other results.
    """
    parts = {
        "script": step.script,
        "code": dict(code.digests),
        "image": image,
        "parameters": dict(step.parameters),
        "per": str(step.per),
        "columns": list(step.used_columns),
        "inputs": [[one.path, one.is_optional] for one in step.declared],
        "outputs": list(step.outputs),
        "library": LIBRARY,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
