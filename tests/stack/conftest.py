"""An AWS account in memory, as far as moto knows it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import boto3
import moto
import pytest
from moto.batch.models import ComputeEnvironment
from moto.cloudformation.models import ChangeSet

from pipeline import Pipeline
from pipeline.cli import setup as setup_verb
from pipeline.cli import teardown as teardown_verb

Verb = Callable[..., int]
NO_PIPELINE = Pipeline("none", [])
REGION = "eu-west-1"


@contextmanager
def aws_as_moto_knows_it() -> Iterator[pytest.MonkeyPatch]:
    """moto's AWS, whose Batch asks for a service role (AWS has its own) and knows no default_x86_64,
    and whose change sets leave the stack's outputs and parameters as they were. Nothing waits.
    """
    with moto.mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_PROFILE", raising=False)
        role = boto3.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        create = ComputeEnvironment.create_from_cloudformation_json

        def create_as_moto_can(name: str, wanted: dict[str, Any], *where: str, **kind: str) -> Any:
            resources = {**wanted["Properties"]["ComputeResources"], "InstanceTypes": ["optimal"]}
            properties = {**wanted["Properties"], "ServiceRole": role, "ComputeResources": resources}
            return create(name, {**wanted, "Properties": properties}, *where, **kind)

        patch.setattr(ComputeEnvironment, "create_from_cloudformation_json", create_as_moto_can)
        patch.setattr(ChangeSet, "apply", _apply_with_outputs(ChangeSet.apply))
        patch.setattr("pipeline.stack.stack.POLL_EVERY_S", 0)
        yield patch


def _apply_with_outputs(apply: Callable[[ChangeSet], None]) -> Callable[[ChangeSet], None]:
    def apply_all(change_set: ChangeSet) -> None:
        apply(change_set)
        stack = change_set.stack
        stack.parameters, stack.template_dict = change_set.parameters, change_set.template_dict
        stack.output_map = stack._create_output_map()

    return apply_all


def default_vpc() -> list[str]:
    """Flags of an existing network: moto deletes no route tables, so it cannot tear down one of the stack's own."""
    subnets = boto3.client("ec2").describe_subnets()["Subnets"]
    return ["--vpc", subnets[0]["VpcId"], "--subnets", ",".join(subnet["SubnetId"] for subnet in subnets)]


class VerbFile(Protocol):
    """The face of every file in pipeline/cli that is a verb."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace, default: Pipeline, /) -> int: ...


def verb(file: VerbFile) -> Verb:
    """A verb as a function of the words typed after it."""

    def call(*words: str) -> int:
        parser = argparse.ArgumentParser()
        file.add_arguments(parser)
        return file.run(parser.parse_args(words), NO_PIPELINE)

    return call


@pytest.fixture
def account() -> Iterator[None]:
    """An empty account."""
    with aws_as_moto_knows_it():
        yield


@pytest.fixture
def setup(account: None) -> Verb:
    """`setup` as typed."""
    return verb(setup_verb)


@pytest.fixture
def teardown(account: None) -> Verb:
    """`teardown` as typed."""
    return verb(teardown_verb)
