"""Whether the jobs' role may do in the bucket what a child does there: IAM's own simulation, before a job is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from pipeline.cloud.session import error_code
from pipeline.errors import Problem
from pipeline.model.layout import Layout, RunKeys, code_key
from pipeline.model.pipeline import Per, Pipeline
from pipeline.stack.deployment import Deployment


def role_problems(iam: Any, found: Deployment, pipeline: Pipeline, layout: Layout) -> Iterator[Problem]:
    """A problem for each action that the role is denied on this run's prefixes; none where the caller may not ask."""
    try:
        for action, paths in _needs(pipeline, layout).items():
            denied = _simulate(iam, action, paths, role_arn=found.job_role_arn, prefix=f"{layout.results}/")
            if denied:
                yield _may_not(action, denied, found, layout)
    except ClientError as error:
        if error_code(error) != "AccessDenied":
            raise


def _needs(pipeline: Pipeline, layout: Layout) -> Mapping[str, Sequence[str]]:
    """What a child does ↔ the bucket, or the places in it, that it does it on."""
    reference, results = f"{layout.reference_prefix}/*", f"{layout.results}/*"
    builds_reference = any(step.per == Per.REFERENCE for step in pipeline.steps)
    run = RunKeys("*")
    read = [layout.source("input/*"), reference, results, code_key("*"), run.sheet, f"{run.rows}/*"]
    written = [results, f"{run.prefix}/failures/*", *([reference] if builds_reference else [])]
    return {
        "s3:ListBucket": [layout.bucket],
        "s3:GetObject": [f"{layout.bucket}/{key}" for key in read],
        "s3:PutObject": [f"{layout.bucket}/{key}" for key in written],
    }


def _simulate(iam: Any, action: str, paths: Sequence[str], *, role_arn: str, prefix: str) -> list[str]:
    """Those of the paths on which the role is denied the action; `prefix` is what is listed."""
    partition = role_arn.split(":")[1]
    arns = {f"arn:{partition}:s3:::{path}": path for path in paths}
    listed = {"ContextKeyName": "s3:prefix", "ContextKeyValues": [prefix], "ContextKeyType": "string"}
    answer = iam.simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=list(arns), ContextEntries=[listed]
    )
    decisions = answer["EvaluationResults"]
    each = [one for decision in decisions for one in decision.get("ResourceSpecificResults", [])]
    if each:
        return [arns[one["EvalResourceName"]] for one in each if one["EvalResourceDecision"] != "allowed"]
    return [] if all(decision["EvalDecision"] == "allowed" for decision in decisions) else list(paths)


def _may_not(action: str, paths: Sequence[str], found: Deployment, layout: Layout) -> Problem:
    places = ", ".join(f"s3://{path}" for path in paths)
    setup = f"python main.py setup --stack {found.queue} --bucket {layout.bucket} --input-prefix {layout.input_prefix}"
    return Problem(
        f"the jobs' role is denied {action} on {places}",
        found.job_role_arn,
        f"give --bucket-name {found.bucket} and its input prefix, or let the role in: {setup}",
    )
