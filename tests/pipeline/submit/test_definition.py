"""A step's job definition says which machine it needs; its name says its content."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from pipeline import Step
from pipeline.model.site import Site
from pipeline.submit.definition import job_definition
from tests.pipeline.examples import toy
from tests.pipeline.lab import plan_run


def action(step: Step, exit_code: int | None = None, *, reason: str = "", status_reason: str = "") -> str:
    """What Batch does after such an attempt: the first condition that matches counts, and none means RETRY.

    Source: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
    """
    told = {"onExitCode": str(exit_code), "onReason": reason, "onStatusReason": status_reason}
    for rule in job_definition("toy", step, Site())["retryStrategy"]["evaluateOnExit"]:
        conditions = {name: pattern for name, pattern in rule.items() if name != "action"}
        if all(fnmatchcase(told[name], pattern) for name, pattern in conditions.items()):
            return str(rule["action"])
    return "RETRY"


def test_a_definition_is_all_that_batch_is_told_of_a_steps_machine(tmp_path: Path) -> None:
    """Its name is pinned too: a change of it registers every definition of everybody anew."""
    step = toy(tmp_path, vcpus=2, memory_mib=4096, timeout_s=600).step("b")
    site = Site({"base": "registry/base@sha256:0"}, {"jobRoleArn": "role"})
    assert job_definition("toy", step, site) == {
        "jobDefinitionName": "toy-b-d49ff7636a39",
        "type": "container",
        "platformCapabilities": ["EC2"],
        "containerProperties": {
            "image": "registry/base@sha256:0",
            "resourceRequirements": [
                {"type": "VCPU", "value": "2"},
                {"type": "MEMORY", "value": "4096"},
            ],
            "jobRoleArn": "role",
        },
        "retryStrategy": {
            "attempts": 5,
            "evaluateOnExit": [
                {"onStatusReason": "Host EC2*", "action": "RETRY"},
                {"onExitCode": "69", "action": "RETRY"},
                {"onExitCode": "75", "action": "RETRY"},
                {"onReason": "*", "action": "EXIT"},
            ],
        },
        "timeout": {"attemptDurationSeconds": 600},
        "propagateTags": True,
        "tags": {"pipeline": "toy", "step": "b"},
    }


def test_an_image_that_the_site_does_not_name_is_called_as_the_step_calls_it(tmp_path: Path) -> None:
    step = toy(tmp_path, image="alpine:3").step("b")
    site = Site({"base": "registry/base@sha256:0"})
    assert job_definition("toy", step, site)["containerProperties"]["image"] == "alpine:3"


def test_what_the_site_says_of_containers_holds_for_its_definitions(tmp_path: Path) -> None:
    site = Site(container_properties={"privileged": False, "jobRoleArn": "role"})
    container = job_definition("toy", toy(tmp_path, mounts=["input"]).step("b"), site)["containerProperties"]
    assert (container["privileged"], container["jobRoleArn"]) == (False, "role")


RECLAIMED = "Host EC2 (instance i-0abc) terminated."
NO_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


def test_a_reclaimed_host_is_tried_again_whatever_the_step_says(tmp_path: Path) -> None:
    for retries in (0, 2):
        assert action(toy(tmp_path, retries=retries).step("b"), status_reason=RECLAIMED) == "RETRY"


def test_the_programs_own_failure_is_tried_again_only_when_told(tmp_path: Path) -> None:
    never, twice = toy(tmp_path).step("b"), toy(tmp_path, retries=2).step("b")
    assert action(never, 1) == "EXIT"
    assert action(twice, 1) == "RETRY"
    assert job_definition("toy", twice, Site())["retryStrategy"]["attempts"] == 3


def test_what_passes_is_tried_again_without_being_told(tmp_path: Path) -> None:
    never = toy(tmp_path).step("b")
    assert [action(never, code) for code in (69, 75)] == ["RETRY", "RETRY"]


def test_wrong_data_and_too_little_memory_are_never_tried_again(tmp_path: Path) -> None:
    twice = toy(tmp_path, retries=2).step("b")
    assert [action(twice, code) for code in (65, 126, 127)] == ["EXIT"] * 3
    assert action(twice, 137, reason=NO_MEMORY) == "EXIT"


def test_a_strategy_has_no_more_conditions_than_batch_takes(tmp_path: Path) -> None:
    for retries in (0, 2):
        strategy = job_definition("toy", toy(tmp_path, retries=retries).step("b"), Site())["retryStrategy"]
        assert len(strategy["evaluateOnExit"]) <= 5


def test_a_step_that_mounts_is_privileged_and_told_the_buckets_folders(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 3, mounts=["input", "output"])
    b = run.step("b")
    assert b.definition["containerProperties"]["privileged"] is True
    assert b.environment["MOUNT_INPUT"] == "s3://lab/input"
    assert b.environment["MOUNT_OUTPUT"] == "s3://lab/results/toy/hg38/b"
    assert "privileged" not in run.steps[0].definition["containerProperties"]


def test_a_foreign_input_gets_the_secrets_keys(tmp_path: Path) -> None:
    foreign = toy(tmp_path, mounts=["input"], parameters={"MOUNT_INPUT": "s3://theirs/data"}).step("b")
    site = Site(input_keys_arn="arn:secret")
    assert job_definition("toy", foreign, site)["containerProperties"]["secrets"] == [
        {"name": "MOUNT_INPUT_ACCESS_KEY_ID", "valueFrom": "arn:secret:access_key_id::"},
        {"name": "MOUNT_INPUT_SECRET_ACCESS_KEY", "valueFrom": "arn:secret:secret_access_key::"},
    ]


def test_no_other_input_gets_keys_and_none_come_from_a_site_without_a_secret(tmp_path: Path) -> None:
    own = toy(tmp_path, mounts=["input"]).step("b")
    foreign = toy(tmp_path, mounts=["input"], parameters={"MOUNT_INPUT": "s3://theirs/data"}).step("b")
    for step, site in ((own, Site(input_keys_arn="arn:secret")), (foreign, Site())):
        assert "secrets" not in job_definition("toy", step, site)["containerProperties"]


def test_the_same_step_has_the_same_definition_and_a_changed_need_another(tmp_path: Path) -> None:
    pipeline, again = toy(tmp_path), toy(tmp_path)
    name = job_definition("toy", pipeline.step("b"), Site())["jobDefinitionName"]
    assert job_definition("toy", again.step("b"), Site())["jobDefinitionName"] == name
    for change in ({"memory_mib": 9000}, {"vcpus": 2}, {"timeout_s": 600}, {"retries": 1}):
        changed = toy(tmp_path, **change).step("b")
        assert job_definition("toy", changed, Site())["jobDefinitionName"] != name, change


def test_a_changed_parameter_registers_nothing(tmp_path: Path) -> None:
    name = job_definition("toy", toy(tmp_path).step("b"), Site())["jobDefinitionName"]
    other = toy(tmp_path, parameters={"K": "31"}, outputs=["c.txt"]).step("b")
    assert job_definition("toy", other, Site())["jobDefinitionName"] == name
