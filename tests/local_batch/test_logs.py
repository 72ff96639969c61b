"""CloudWatch Logs: what jobs wrote, read while they run and after."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local_batch.conftest import Local
from tests.waiting import wait_until

GROUP = "/aws/batch/job"


def test_a_log_is_read_while_its_job_runs_and_times_do_not_change(local: Local) -> None:
    local.define("tidy", linuxParameters={"initProcessEnabled": True})
    job_id = local.submit("echo early; sleep 300", jobDefinition="tidy")
    local.wait(job_id, "RUNNING")
    wait_until(lambda: local.log(job_id) == ["early"])
    stream = local.job(job_id)["container"]["logStreamName"]
    (live,) = local.logs.get_log_events(logGroupName=GROUP, logStreamName=stream)["events"]
    local.batch.terminate_job(jobId=job_id, reason="seen")
    local.wait(job_id)
    (later,) = local.logs.get_log_events(logGroupName=GROUP, logStreamName=stream)["events"]
    assert later == live


def test_each_attempt_has_a_log_of_its_own(local: Local) -> None:
    job = local.wait(local.submit("echo $AWS_BATCH_JOB_ATTEMPT; exit 1", retryStrategy={"attempts": 2}))
    streams = [attempt["container"]["logStreamName"] for attempt in job["attempts"]]
    assert len(set(streams)) == 2
    for number, stream in enumerate(streams, 1):
        events = local.logs.get_log_events(logGroupName=GROUP, logStreamName=stream)["events"]
        assert [event["message"] for event in events] == [str(number)]


def test_pages_of_a_log_lead_forward_and_back_and_end_with_their_own_token(quick: Local) -> None:
    job_id = quick.submit("seq 10")
    stream = quick.wait(job_id)["container"]["logStreamName"]
    asked = {"logGroupName": GROUP, "logStreamName": stream, "limit": 4}
    seen, answer = [], quick.logs.get_log_events(**asked, startFromHead=True)
    while answer["events"]:
        seen += [event["message"] for event in answer["events"]]
        token = answer["nextForwardToken"]
        answer = quick.logs.get_log_events(**asked, nextToken=token)
    assert seen == [str(number) for number in range(1, 11)]
    assert answer["nextForwardToken"] == token
    last = quick.logs.get_log_events(**asked)
    assert [event["message"] for event in last["events"]] == ["7", "8", "9", "10"]
    before = quick.logs.get_log_events(**asked, nextToken=last["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == ["3", "4", "5", "6"]


def test_events_of_many_streams_are_filtered_by_words_and_paged(quick: Local) -> None:
    parent = quick.submit("echo ERROR of $AWS_BATCH_JOB_ARRAY_INDEX; echo fine", size=4)
    quick.wait(parent)
    pages = quick.logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern="ERROR", PaginationConfig={"PageSize": 3}
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    assert sorted(messages) == [f"ERROR of {index}" for index in range(4)]


def test_streams_are_listed_by_name_and_by_their_last_event(quick: Local) -> None:
    quick.define("a-job")
    first, second = quick.submit("echo 1"), quick.submit("echo 2", jobDefinition="a-job")
    quick.wait(first)
    quick.wait(second)
    listed = quick.logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [each["logStreamName"].partition("/")[0] for each in listed] == ["a-job", "job"]
    prefixed = quick.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="a-")["logStreams"]
    assert len(prefixed) == 1
    latest = quick.logs.describe_log_streams(
        logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=1
    )
    assert len(latest["logStreams"]) == 1
    assert [group["logGroupName"] for group in quick.logs.describe_log_groups()["logGroups"]] == [GROUP]


def test_a_log_configuration_names_group_and_stream(local: Local) -> None:
    options = {"awslogs-group": "/lab/../own", "awslogs-stream-prefix": "../x"}
    local.define("own", logConfiguration={"logDriver": "awslogs", "options": options})
    stream = local.wait(local.submit("echo hello", jobDefinition="own"))["container"]["logStreamName"]
    assert stream.startswith("../x/default/")
    (event,) = local.logs.get_log_events(logGroupName="/lab/../own", logStreamName=stream)["events"]
    assert event["message"] == "hello"
    path = Path(local.host.logs.file("/lab/../own", stream)).resolve()
    assert path.is_relative_to(local.home.logs)


@pytest.mark.parametrize(("group", "stream"), [("none", "x"), (GROUP, "none/default/x")])
def test_a_log_that_does_not_exist_is_not_found(quick: Local, group: str, stream: str) -> None:
    quick.wait(quick.submit("echo"))
    with pytest.raises(quick.logs.exceptions.ResourceNotFoundException):
        quick.logs.get_log_events(logGroupName=group, logStreamName=stream)


def test_an_operation_that_is_not_here_says_so(quick: Local) -> None:
    with pytest.raises(ClientError, match="not available on the local endpoint"):
        quick.logs.create_log_group(logGroupName="x")
