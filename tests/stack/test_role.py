"""What the jobs' role may not do in the bucket is told before a run, by IAM's own simulation."""

from __future__ import annotations

from pipeline import Pipeline, Step
from pipeline.model.layout import Layout
from pipeline.stack.deployment import Deployment
from pipeline.stack.role import role_problems
from tests.stack.iam import Iam

NAME = "batch-pipeline"
ROLE = "arn:aws:iam::123456789012:role/jobs"
LAYOUT = Layout("lab", "toy", "demo")
PIPELINE = Pipeline("toy", [Step("index", "index.py", per="reference"), Step("count", "count.py")])
STACK = Deployment(
    bucket="other",
    queue=NAME,
    on_demand_queue=f"{NAME}-ondemand",
    job_role_arn=ROLE,
    execution_role_arn=ROLE,
    log_group="",
    repository_uri="",
    architecture="x86_64",
)


def test_a_role_that_may_do_all_is_no_problem() -> None:
    iam = Iam(LAYOUT)
    iam.answer_a_run()
    assert not list(role_problems(iam.client, STACK, PIPELINE, LAYOUT))


def test_a_role_that_is_denied_is_told_with_action_place_and_fix() -> None:
    iam = Iam(LAYOUT, "/input/*", "/failures/*")
    iam.answer_a_run()
    read, write = role_problems(iam.client, STACK, PIPELINE, LAYOUT)
    assert read.what == "the jobs' role is denied s3:GetObject on s3://lab/input/*"
    assert write.what == "the jobs' role is denied s3:PutObject on s3://lab/runs/*/failures/*"
    assert read.where == ROLE
    assert "--bucket-name other" in read.fix
    assert f"setup --stack {NAME} --bucket lab --input-prefix input" in read.fix


def test_a_caller_who_may_not_simulate_is_told_nothing() -> None:
    iam = Iam(LAYOUT)
    iam.refuse("AccessDenied")
    assert not list(role_problems(iam.client, STACK, PIPELINE, LAYOUT))
