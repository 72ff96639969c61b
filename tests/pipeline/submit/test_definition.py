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
    assert action(twice, 65) == "EXIT"
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


def test_only_a_foreign_input_gets_the_secrets_keys(tmp_path: Path) -> None:
    site = Site(input_keys_arn="arn:secret")
    foreign = toy(tmp_path, mounts=["input"], parameters={"MOUNT_INPUT": "s3://theirs/data"}).step("b")
    secrets = job_definition("toy", foreign, site)["containerProperties"]["secrets"]
    assert secrets[0] == {"name": "MOUNT_INPUT_ACCESS_KEY_ID", "valueFrom": "arn:secret:access_key_id::"}
    own = toy(tmp_path, mounts=["input"]).step("b")
    assert "secrets" not in job_definition("toy", own, site)["containerProperties"]


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
