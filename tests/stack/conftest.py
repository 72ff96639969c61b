"""An AWS account in memory, as far as moto knows it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import moto
import pytest
from moto.batch.models import ComputeEnvironment
from moto.cloudformation.models import ChangeSet

from pipeline.stack import command

Verb = Callable[..., int]
REGION = "eu-west-1"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto's AWS, whose Batch asks for a service role (AWS has its own) and knows no default_x86_64,
    and whose change sets leave the stack's outputs and parameters as they were.
    """
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with moto.mock_aws():
        role = boto3.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        create = ComputeEnvironment.create_from_cloudformation_json

        def create_as_moto_can(name: str, wanted: dict[str, Any], *where: str, **kind: str) -> Any:
            resources = {**wanted["Properties"]["ComputeResources"], "InstanceTypes": ["optimal"]}
            properties = {**wanted["Properties"], "ServiceRole": role, "ComputeResources": resources}
            return create(name, {**wanted, "Properties": properties}, *where, **kind)

        monkeypatch.setattr(ComputeEnvironment, "create_from_cloudformation_json", create_as_moto_can)
        monkeypatch.setattr(ChangeSet, "apply", _apply_with_outputs(ChangeSet.apply))
        yield


def _apply_with_outputs(apply: Callable[[ChangeSet], None]) -> Callable[[ChangeSet], None]:
    def apply_all(change_set: ChangeSet) -> None:
        apply(change_set)
        stack = change_set.stack
        stack.parameters, stack.template_dict = change_set.parameters, change_set.template_dict
        stack.output_map = stack._create_output_map()

    return apply_all


def _verb(add_arguments: Callable[[argparse.ArgumentParser], None], run: Verb) -> Verb:
    def call(*words: str) -> int:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        return run(parser.parse_args(words))

    return call


@pytest.fixture
def setup(account: None, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """`setup` as typed, without its waits."""
    monkeypatch.setattr("pipeline.stack.stack.POLL_EVERY_S", 0)
    return _verb(command.add_setup_arguments, command.run_setup)


@pytest.fixture
def teardown(account: None, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """`teardown` as typed, without its waits."""
    monkeypatch.setattr("pipeline.stack.stack.POLL_EVERY_S", 0)
    return _verb(command.add_teardown_arguments, command.run_teardown)
