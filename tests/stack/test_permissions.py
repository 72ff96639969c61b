"""Least privilege: what the roles may do is what the code does, no less and no more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.session import Session

from pipeline.cli import setup
from pipeline.stack.account import Account
from pipeline.stack.stack import Stack
from tests.stack.conftest import aws_as_moto_knows_it, verb
from tests.stack.permissions import DOCUMENT, EXECUTION, JOB, NEEDS, ROOT, SUBMITTER, Need, table

Statements = list[dict[str, Any]]
STACK = "batch-pipeline"
BUCKET = "arn:aws:s3:::lab"
BATCH = "arn:aws:batch:eu-west-1:123456789012"
FOR_ANYBODY = {"get_caller_identity"}  # AWS grants it to all who have credentials
NOT_ON_AWS = {"create_bucket"}  # `setup` makes the bucket
FOR_SETTING_UP = {"stack/bucket.py", "stack/stack.py", "stack/teardown.py"}
FOR_PUSHING = {"get_authorization_token"}
IMPLIED = {
    "head_bucket": "s3:ListBucket",
    "head_object": "s3:GetObject",
    "download_fileobj": "s3:GetObject",
    "upload_file": "s3:PutObject",
    "upload_fileobj": "s3:PutObject",
    "delete_objects": "s3:DeleteObject",
}


@pytest.fixture(scope="module")
def policies() -> Mapping[str, Statements]:
    """What each role may do, after `setup` with a foreign input."""
    with aws_as_moto_knows_it():
        verb(setup)("--yes", "--bucket", "lab", "--foreign-input", "x")
        iam = boto3.client("iam")
        found = Stack(Account(), STACK).outputs()
        submitter: Any = iam.get_policy_version(PolicyArn=found["SubmitterPolicyArn"], VersionId="v1")
        return {
            SUBMITTER: _statements(submitter["PolicyVersion"]["Document"]),
            JOB: list(_inline(iam, found["JobRoleArn"])),
            EXECUTION: list(_inline(iam, found["ExecutionRoleArn"])),
        }


def _inline(iam: Any, role_arn: str) -> Iterator[dict[str, Any]]:
    role = role_arn.rpartition("/")[2]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from _statements(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])


def _statements(document: Any) -> Statements:
    """A policy's statements; moto keeps some documents as a repr."""
    parsed = ast.literal_eval(document) if isinstance(document, str) else document
    return list(parsed["Statement"])


def _words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(statements: Statements, action: str, resource: str, **context: str) -> bool:
    """IAM's decision, for policies that only allow: some statement matches action, resource and all conditions."""
    return any(
        action in _words(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in _words(statement["Resource"]))
        and _holds(statement.get("Condition", {}), context)
        for statement in statements
    )


def _holds(condition: Mapping[str, Mapping[str, str | list[str]]], context: Mapping[str, str]) -> bool:
    assert set(condition) <= {"StringEquals", "StringLike"}, "teach this test the operator"
    return all(
        any(fnmatchcase(context.get(key.partition(":")[2], ""), pattern) for pattern in _words(patterns))
        for keys in condition.values()
        for key, patterns in keys.items()
    )


def test_every_action_that_is_granted_has_a_line_of_code_that_needs_it(
    policies: Mapping[str, Statements],
) -> None:
    granted = {
        (who, action)
        for who, all_of in policies.items()
        for one in all_of
        for action in _words(one["Action"])
    }
    assert granted == {(need.who, need.action) for need in NEEDS}


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: f"{need.who}-{need.action}")
def test_the_line_that_needs_an_action_is_in_its_file(need: Need) -> None:
    assert need.line in (ROOT / need.file).read_text()


def test_the_table_in_the_docs_is_this_one() -> None:
    assert table() in DOCUMENT.read_text(), "run: python -m tests.stack.permissions"


def calls() -> Iterator[tuple[str, str]]:
    """(file, method) of every boto3 call in the client, but for those of who makes and removes the stack."""
    session = Session()
    methods = {
        xform_name(operation)
        for service in ("batch", "s3", "logs", "sts", "iam", "ec2", "ecr", "cloudformation")
        for operation in session.get_service_model(service).operation_names
    } | set(IMPLIED)
    for file in (ROOT / "pipeline").rglob("*.py"):
        if file.relative_to(ROOT / "pipeline").as_posix() in FOR_SETTING_UP:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            name = str(words[0]) if node.func.attr == "get_paginator" else node.func.attr
            if name in methods and "_" in name:
                yield str(file.relative_to(ROOT)), name


def test_every_call_that_the_client_makes_is_granted_to_who_submits() -> None:
    granted = {xform_name(need.action.partition(":")[2]) for need in NEEDS if need.who == SUBMITTER}
    implied = {"list_objects_v2": "list_bucket"} | {
        method: xform_name(action.partition(":")[2]) for method, action in IMPLIED.items()
    }
    made = {(file, name) for file, name in calls() if name not in NOT_ON_AWS | FOR_ANYBODY | FOR_PUSHING}
    assert len(made) > 10
    assert {call for call in made if implied.get(call[1], call[1]) not in granted} == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("batch:SubmitJob", f"{BATCH}:job-queue/{STACK}"),
        ("batch:SubmitJob", f"{BATCH}:job-queue/{STACK}-ondemand"),
        ("batch:SubmitJob", f"{BATCH}:job-definition/fusion-picard-0123456789ab:1"),
        ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/fusion-picard-0123456789ab"),
        ("batch:TagResource", f"{BATCH}:job/0b0e"),
        ("batch:TerminateJob", f"{BATCH}:job/0b0e:17"),
        ("batch:CreateConsumableResource", f"{BATCH}:consumable-resource/run-1"),
        ("batch:DescribeJobs", "*"),
        (
            "logs:GetLogEvents",
            f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/batch/{STACK}:log-stream:x",
        ),
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", f"{BUCKET}/results/fusion/GRCh38/pizzly/s1/_SUCCESS.json"),
        ("s3:PutObject", f"{BUCKET}/runs/r1/run.json"),
        ("s3:DeleteObject", f"{BUCKET}/runs/_open/0123/00000001.json"),
        ("s3:PutObject", f"{BUCKET}/code/abc.zip"),
        ("s3:PutObject", f"{BUCKET}/input/s1.bam"),
        ("s3:PutObject", f"{BUCKET}/results/fusion/GRCh38/_markers.json.gz"),
    ],
)
def test_who_submits_may_do_what_a_run_does(
    policies: Mapping[str, Statements], action: str, resource: str
) -> None:
    assert allows(policies[SUBMITTER], action, resource)


def test_roles_are_lent_to_jobs_and_to_nothing_else(policies: Mapping[str, Statements]) -> None:
    [lend] = [one for one in policies[SUBMITTER] if one["Action"] == "iam:PassRole"]
    assert len(lend["Resource"]) == 2
    for role in lend["Resource"]:
        assert allows(policies[SUBMITTER], "iam:PassRole", role, PassedToService="ecs-tasks.amazonaws.com")
        assert not allows(policies[SUBMITTER], "iam:PassRole", role, PassedToService="ec2.amazonaws.com")


@pytest.mark.parametrize(
    ("action", "resource", "prefix"),
    [
        ("s3:GetObject", f"{BUCKET}/input/s1.bam", ""),
        ("s3:GetObject", f"{BUCKET}/code/abc.zip", ""),
        ("s3:GetObject", f"{BUCKET}/runs/r1/samples.tsv", ""),
        ("s3:GetObject", f"{BUCKET}/runs/r1/rows/00007.tsv", ""),
        ("s3:GetObject", f"{BUCKET}/reference/GRCh38/transcripts.idx", ""),
        ("s3:ListBucket", BUCKET, "results/fusion/GRCh38/kallisto/s1/"),
        ("s3:PutObject", f"{BUCKET}/results/fusion/GRCh38/kallisto/s1/fusion.txt", ""),
        ("s3:PutObject", f"{BUCKET}/reference/GRCh38/_SUCCESS.index.json", ""),
        ("s3:PutObject", f"{BUCKET}/runs/r1/failures/picard/s1.json", ""),
    ],
)
def test_a_job_may_fetch_publish_and_report(
    policies: Mapping[str, Statements], action: str, resource: str, prefix: str
) -> None:
    assert allows(policies[JOB], action, resource, prefix=prefix)


@pytest.mark.parametrize(
    ("action", "resource", "prefix"),
    [
        ("s3:GetObject", "arn:aws:s3:::other/input/s1.bam", ""),
        ("s3:GetObject", f"{BUCKET}/private/x", ""),
        ("s3:ListBucket", BUCKET, ""),
        ("s3:ListBucket", BUCKET, "private/"),
        ("s3:PutObject", f"{BUCKET}/input/s1.bam", ""),
        ("s3:PutObject", f"{BUCKET}/code/abc.zip", ""),
        ("s3:PutObject", f"{BUCKET}/runs/r1/run.json", ""),
        ("s3:DeleteObject", f"{BUCKET}/results/x", ""),
        ("batch:SubmitJob", f"{BATCH}:job-queue/{STACK}", ""),
    ],
)
def test_a_job_may_not_leave_its_prefixes_or_change_what_it_runs_on(
    policies: Mapping[str, Statements], action: str, resource: str, prefix: str
) -> None:
    assert not allows(policies[JOB], action, resource, prefix=prefix)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("batch:SubmitJob", f"{BATCH}:job-queue/another-lab"),
        ("s3:PutObject", "arn:aws:s3:::other/code/abc.zip"),
        ("s3:DeleteObject", f"{BUCKET}/results/x"),
        ("s3:DeleteObject", f"{BUCKET}/input/s1.bam"),
        ("s3:DeleteBucket", BUCKET),
        ("batch:UpdateJobQueue", f"{BATCH}:job-queue/{STACK}"),
        ("ecr:PutImage", f"arn:aws:ecr:eu-west-1:123456789012:repository/{STACK}"),
    ],
)
def test_who_submits_may_not_touch_what_is_not_a_run(
    policies: Mapping[str, Statements], action: str, resource: str
) -> None:
    assert not allows(policies[SUBMITTER], action, resource)


def test_the_secret_is_read_by_what_starts_a_job_and_not_by_the_job(
    policies: Mapping[str, Statements],
) -> None:
    [read] = [one for one in policies[EXECUTION] if one["Action"] == "secretsmanager:GetSecretValue"]
    assert allows(policies[EXECUTION], "secretsmanager:GetSecretValue", read["Resource"])
    assert not allows(policies[JOB], "secretsmanager:GetSecretValue", read["Resource"])
