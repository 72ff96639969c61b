"""IAM that denies what a test says; the shapes of questions and answers are botocore's."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.stub import ANY, Stubber

from pipeline.model.layout import Layout


class Iam:
    """Answers simulations in the order told: what ends in one of `denied` is denied."""

    def __init__(self, layout: Layout, *denied: str) -> None:
        self.client: Any = boto3.client("iam", region_name="eu-west-1")
        self._stub = Stubber(self.client)
        self._layout, self._denied = layout, denied

    def answer(self, action: str, *paths: str) -> None:
        """The next question is of this action on these places in the bucket."""
        arns = [f"arn:aws:s3:::{self._layout.bucket}{path}" for path in paths]
        decisions = {arn: "implicitDeny" if arn.endswith(self._denied) else "allowed" for arn in arns}
        each = [{"EvalResourceName": arn, "EvalResourceDecision": found} for arn, found in decisions.items()]
        result = {
            "EvalActionName": action,
            "EvalDecision": max(decisions.values()),
            "ResourceSpecificResults": each,
        }
        asked = {"PolicySourceArn": ANY, "ActionNames": [action], "ResourceArns": arns, "ContextEntries": ANY}
        self._stub.add_response("simulate_principal_policy", {"EvaluationResults": [result]}, asked)
        self._stub.activate()

    def answer_a_run(self) -> None:
        """The next questions are those of a run that builds its reference."""
        results, reference = f"/{self._layout.results}/*", f"/{self._layout.reference_prefix}/*"
        run = ("/runs/*/samples.tsv", "/runs/*/rows/*")
        self.answer("s3:ListBucket", "")
        self.answer("s3:GetObject", "/input/*", reference, results, "/code/*.zip", *run)
        self.answer("s3:PutObject", results, "/runs/*/failures/*", reference)

    def refuse(self, code: str) -> None:
        """The next question is refused."""
        self._stub.add_client_error("simulate_principal_policy", code, http_status_code=403)
        self._stub.activate()
