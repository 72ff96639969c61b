"""Plain jobs: what a client is told of one from its submission to its end. Conformance checks 1-4, 20-24."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_batch.clock import HandClock
from tests.local_batch.conftest import REGION, Local

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def test_a_job_is_submitted_and_described_by_boto3_with_nothing_but_the_endpoint_set(
    quick: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BATCH", quick.server.url)
    quick.batch = quick.client("batch", endpoint_url=None)
    quick.define()
    answer = quick.batch.submit_job(jobName="test", jobQueue="local", jobDefinition="job")
    assert re.fullmatch(UUID4, answer["jobId"])
    assert answer["jobArn"].endswith(f":job/{answer['jobId']}")
    job = quick.job(answer["jobId"])
    assert isinstance(job["createdAt"], int)
    assert job["createdAt"] > 10**12
    assert job["jobQueue"] == f"arn:aws:batch:{REGION}:000000000000:job-queue/local"
    assert job["jobDefinition"] == f"arn:aws:batch:{REGION}:000000000000:job-definition/job:1"


def test_a_job_that_exits_0_has_succeeded_in_one_attempt(local: Local) -> None:
    job = local.wait(local.submit("exit 0"))
    assert (job["status"], job["statusReason"]) == ("SUCCEEDED", "Essential container in task exited")
    assert job["container"]["exitCode"] == 0
    assert "reason" not in job["container"]
    assert len(job["attempts"]) == 1
    assert job["startedAt"] <= job["stoppedAt"]


def test_a_job_that_exits_3_has_failed_and_says_3_on_job_and_attempt(local: Local) -> None:
    job = local.wait(local.submit("exit 3"))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Essential container in task exited")
    assert job["container"]["exitCode"] == 3
    assert job["attempts"][0]["container"]["exitCode"] == 3


def test_while_its_first_attempt_runs_a_job_has_no_attempts_and_a_log_stream(local: Local) -> None:
    job_id = local.submit("sleep 300")
    job = local.wait(job_id, "RUNNING")
    assert job["attempts"] == []
    assert re.fullmatch(r"job/default/[0-9a-f]{32}", job["container"]["logStreamName"])
    local.batch.terminate_job(jobId=job_id, reason="seen")


def test_a_rule_that_says_exit_ends_a_job_with_attempts_left(local: Local) -> None:
    rules = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]
    job = local.wait(local.submit("exit 1", retryStrategy={"attempts": 3, "evaluateOnExit": rules}))
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)


def test_a_lost_host_is_retried_by_the_same_rules(local: Local) -> None:
    rules = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]
    script = '[ "$AWS_BATCH_JOB_ATTEMPT" = 2 ] || sleep 300'
    job_id = local.submit(script, retryStrategy={"attempts": 3, "evaluateOnExit": rules})
    local.wait(job_id, "RUNNING")
    with local.host.lock:
        local.host.lose(local.record(job_id))
    job = local.wait(job_id)
    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)
    first = job["attempts"][0]
    assert re.fullmatch(r"Host EC2 \(instance i-[0-9a-f]+\) terminated\.", first["statusReason"])
    assert "exitCode" not in first["container"]


def test_when_no_rule_holds_the_job_is_retried(local: Local) -> None:
    rules = [{"onExitCode": "7", "action": "EXIT"}]
    job = local.wait(local.submit("exit 1", retryStrategy={"attempts": 2, "evaluateOnExit": rules}))
    assert len(job["attempts"]) == 2


def test_a_time_limit_under_a_minute_is_refused(quick: Local) -> None:
    with pytest.raises(ClientError, match="60"):
        quick.submit("true", timeout={"attemptDurationSeconds": 59})


def test_a_job_over_its_time_limit_fails_at_once_whatever_attempts_are_left(
    timed: Local, hand_clock: HandClock
) -> None:
    timed.define("tidy", linuxParameters={"initProcessEnabled": True})
    limits: dict[str, Any] = {
        "timeout": {"attemptDurationSeconds": 60},
        "retryStrategy": {"attempts": 3},
    }
    job_id = timed.submit("sleep 300", jobDefinition="tidy", **limits)
    timed.wait(job_id, "RUNNING")
    hand_clock.advance(59)
    assert timed.status(job_id) == "RUNNING"
    hand_clock.advance(1)
    job = timed.wait(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Job attempt duration exceeded timeout")
    assert [attempt["statusReason"] for attempt in job["attempts"]] == [
        "Job attempt duration exceeded timeout"
    ]


def test_a_job_that_outgrows_its_memory_is_killed_in_aws_own_words(local: Local) -> None:
    job = local.wait(local.submit("x=$(head -c 300000000 /dev/zero | tr '\\0' a); echo ${#x}; sleep 5"))
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 137)
    assert job["container"]["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert job["statusReason"] == "Essential container in task exited"


@pytest.mark.parametrize(
    ("vcpus", "memory_mib", "why"),
    [
        (64, 64, "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated"),
        (1, 900_000, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource"),
    ],
)
def test_a_job_that_never_fits_waits_and_says_why_and_holds_nobody_up(
    local: Local, vcpus: int, memory_mib: int, why: str
) -> None:
    local.define("large", vcpus=vcpus, memory_mib=memory_mib)
    large = local.submit(jobDefinition="large")
    assert local.wait(local.submit("exit 0"))["status"] == "SUCCEEDED"
    assert local.job(large)["status"] == "RUNNABLE"
    assert local.job(large)["statusReason"].startswith(why)


def test_running_jobs_never_want_more_than_the_environment_has(local: Local) -> None:
    local.define("pair", vcpus=2, memory_mib=900)
    parent = local.submit("sleep 0.05", size=8, jobDefinition="pair")
    most = {"vcpus": 0.0, "memory": 0}

    def is_over() -> bool:
        taken = local.host.engine.scheduler.environments["local"].capacity
        most["vcpus"] = max(most["vcpus"], taken.used_vcpus)
        most["memory"] = max(most["memory"], taken.used_memory_mib)
        return local.record(parent).is_over

    local.wait_until(is_over)
    assert most == {"vcpus": 4.0, "memory": 1800}


def test_a_reference_without_a_parameter_is_refused(quick: Local) -> None:
    quick.define("echo", command=["echo", "Ref::x"])
    with pytest.raises(ClientError, match=r"Unable to substitute value\. No parameter found for reference x"):
        quick.submit(jobDefinition="echo")


def test_a_reference_takes_the_definition_s_value_unless_the_job_has_its_own(local: Local) -> None:
    local.define("echo", command=["echo", "Ref::x", "a-Ref::x/b"], parameters={"x": "one", "unused": "kept"})
    default, own = (
        local.submit(jobDefinition="echo"),
        local.submit(jobDefinition="echo", parameters={"x": "two"}),
    )
    local.wait(default)
    local.wait(own)
    assert local.log(default) == ["one a-one/b"]
    assert local.log(own) == ["two a-two/b"]
    assert local.job(own)["parameters"] == {"x": "two", "unused": "kept"}


@pytest.mark.parametrize("name", ["AWS_BATCH_JOB_ID", "AWS_BATCH_X"])
def test_reserved_variables_are_refused_in_definition_and_job(quick: Local, name: str) -> None:
    variables = [{"name": name, "value": "x"}]
    with pytest.raises(ClientError, match="AWS_BATCH"):
        quick.define("bad", environment=variables)
    with pytest.raises(ClientError, match="AWS_BATCH"):
        quick.submit("true", containerOverrides={"environment": variables})


def test_the_old_vcpus_and_memory_overrides_do_not_beat_resource_requirements(quick: Local) -> None:
    job_id = quick.submit("true", containerOverrides={"vcpus": 3, "memory": 512})
    assert (quick.record(job_id).submission.vcpus, quick.record(job_id).submission.memory_mib) == (1, 64)


def test_a_job_s_variables_replace_those_of_its_definition_and_add_to_them(local: Local) -> None:
    pairs = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    local.define("env", environment=pairs)
    overrides = {"environment": [{"name": "B", "value": "2"}, {"name": "C", "value": "2"}]}
    job_id = local.submit("echo $A $B $C", jobDefinition="env", containerOverrides=overrides)
    shown = local.wait(job_id)["container"]["environment"]
    assert local.log(job_id) == ["1 2 2"]
    assert {each["name"]: each["value"] for each in shown} == {"A": "1", "B": "2", "C": "2"}


def test_more_than_100_ids_are_refused_with_both_blanks(quick: Local) -> None:
    with pytest.raises(ClientError, match=r"Maximum number of jobs supported is  100 \."):
        quick.batch.describe_jobs(jobs=["x"] * 101)


def test_jobs_are_described_in_the_order_asked_for_and_unknown_ids_left_out(quick: Local) -> None:
    ids = [quick.submit("true") for _ in range(4)]
    asked = [ids[2], "unknown", ids[0], ids[3], ids[1]]
    described = [job["jobId"] for job in quick.batch.describe_jobs(jobs=asked)["jobs"]]
    assert described == [ids[2], ids[0], ids[3], ids[1]]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"jobName": "-bad"}, "Job name should match valid pattern"),
        ({"jobQueue": "nowhere"}, "JobQueue nowhere not found."),
        ({"jobDefinition": "none"}, "JobDefinition name none does not exist or is not in ACTIVE status"),
        (
            {"jobDefinition": "arn:aws:batch:eu-west-1:000000000000:job-definition/none:1"},
            "JobDefinition arn:aws:batch:eu-west-1:000000000000:job-definition/none:1 not found.",
        ),
        ({"parameters": {"x": "y" * 40_000}}, "Job size must be less than 30 KiB, got 40 KiB"),
        ({"retryStrategy": {"evaluateOnExit": []}}, "RetryAttempts must be provided with retry strategy"),
        ({"shareIdentifier": "a"}, "can onlybe submitted"),
    ],
)
def test_a_bad_request_is_refused_in_aws_own_words(quick: Local, request_: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError) as refused:
        quick.submit("true", **request_)
    assert text in str(refused.value)
    assert refused.value.response["Error"]["Code"] == "ClientException"
    assert isinstance(refused.value, quick.batch.exceptions.ClientException)


def test_overrides_that_are_too_long_are_accepted_and_fail_the_job(quick: Local) -> None:
    variables = [{"name": "X", "value": "y" * 9000}]
    job = quick.wait(quick.submit("true", containerOverrides={"environment": variables}))
    assert (job["status"], job["attempts"]) == ("FAILED", [])
    assert job["statusReason"] == "Container Overrides length must be at most 8192"


def test_a_command_that_does_not_exist_is_a_container_that_cannot_start(local: Local) -> None:
    local.define("none", command=["/no/such/program"])
    job = local.wait(local.submit(jobDefinition="none"))
    assert job["statusReason"] == "Task failed to start"
    assert job["container"]["reason"].startswith("CannotStartContainerError")
    assert "exitCode" not in job["container"]


def test_a_process_left_behind_by_a_job_ends_with_it(quick: Local) -> None:
    job_id = quick.submit("sleep 300 & echo $!")
    quick.wait(job_id)
    (pid,) = quick.log(job_id)
    import psutil

    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
