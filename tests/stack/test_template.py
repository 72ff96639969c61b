"""The template by itself: linted, and its Batch properties are those that Batch's own API has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.session import Session
from cfnlint.decode import decode  # type: ignore[import-untyped]

from pipeline.cli import settings
from pipeline.stack import stack

FILE = Path(stack.__file__).with_name("template.yaml")
OF_CLOUDFORMATION = {"ReplaceComputeEnvironment"}  # how it updates; Batch's API has no such word
OPERATIONS = {
    "AWS::Batch::ComputeEnvironment": ("CreateComputeEnvironment", "UpdateComputeEnvironment"),
    "AWS::Batch::JobQueue": ("CreateJobQueue",),
}


@pytest.fixture(scope="module")
def template() -> Any:
    """The template, parsed; intrinsic functions are dictionaries of one key."""
    return decode(str(FILE))[0]


def test_the_template_is_clean_by_cfn_lint_from_a_pipe() -> None:
    lint = [str(Path(sys.executable).with_name("cfn-lint"))]
    ran = subprocess.run(lint, input=stack.template(), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_template_fits_into_one_call() -> None:
    assert len(stack.template().encode()) <= 51_200  # TemplateBody's limit; above it a bucket is needed


def test_every_parameter_has_a_flag_and_the_same_default(template: Any) -> None:
    parameters = {name: body.get("Default") for name, body in template["Parameters"].items()}
    assert parameters.pop("CreateBucket") == "yes"  # found out by looking, not asked
    assert parameters.pop("BucketName") is None
    flags = {one.parameter: one.default for one in settings.SETTINGS if one.parameter != "BucketName"}
    assert {name: str(default) for name, default in parameters.items()} == flags


def test_every_batch_property_is_one_of_batchs_own_api(template: Any) -> None:
    model = Session().get_service_model("batch")
    resources = [body for body in template["Resources"].values() if body["Type"].startswith("AWS::Batch::")]
    assert len(resources) == 4
    for body in resources:
        shapes = [model.operation_model(name).input_shape for name in OPERATIONS[body["Type"]]]
        assert list(unknown(body["Properties"], shapes, body["Type"])) == []


def unknown(properties: Any, shapes: list[Any], where: str) -> Iterator[str]:
    """Paths of properties, and values of enums, that none of the shapes has."""
    for name, value in properties.items():
        key = name[0].lower() + name[1:]
        members = [
            shape.members[key]
            for shape in shapes
            if isinstance(shape, StructureShape) and key in shape.members
        ]
        path = f"{where}.{name}"
        if not members and name not in OF_CLOUDFORMATION:
            yield path
        yield from _unknown_value(value, members, path)


def _unknown_value(value: Any, members: list[Shape], path: str) -> Iterator[str]:
    if isinstance(value, dict) and not _is_intrinsic(value):
        structures = [member for member in members if isinstance(member, StructureShape)]
        if structures:
            yield from unknown(value, structures, path)
    elif isinstance(value, list):
        inner = [member.member for member in members if isinstance(member, ListShape)]
        for item in value:
            yield from _unknown_value(item, inner, path)
    elif isinstance(value, str):
        enums = [set(member.metadata["enum"]) for member in members if "enum" in member.metadata]
        if enums and not any(value in enum for enum in enums):
            yield f"{path}={value}"


def _is_intrinsic(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def test_the_check_sees_a_property_and_a_value_that_batch_does_not_have() -> None:
    shape = Session().get_service_model("batch").operation_model("CreateComputeEnvironment").input_shape
    planted = {"Type": "MANAGED", "ComputeResources": {"Type": "SPOTTY", "MaxCpus": 4}}
    found = list(unknown(planted, [shape], "x"))
    assert found == ["x.ComputeResources.Type=SPOTTY", "x.ComputeResources.MaxCpus"]


def test_nothing_may_come_in(template: Any) -> None:
    group = template["Resources"]["SecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert not any(
        body["Type"] == "AWS::EC2::SecurityGroupIngress" for body in template["Resources"].values()
    )


def test_only_the_bucket_outlives_the_stack(template: Any) -> None:
    kept = [name for name, body in template["Resources"].items() if body.get("DeletionPolicy") == "Retain"]
    assert kept == ["Bucket"]


def test_idle_costs_nothing_but_storage(template: Any) -> None:
    machines = [
        body for body in template["Resources"].values() if body["Type"].endswith("ComputeEnvironment")
    ]
    assert all(body["Properties"]["ComputeResources"]["MinvCpus"] == 0 for body in machines)
    types = {body["Type"] for body in template["Resources"].values()}
    assert not types & {"AWS::EC2::NatGateway", "AWS::EC2::Instance", "AWS::EC2::EIP"}
