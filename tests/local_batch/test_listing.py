"""ListJobs: what it shows, filters and pages. Conformance check 24."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local_batch.conftest import Local


def listed(local: Local, **request: object) -> list[str]:
    """Return the ids that ListJobs gives, over all pages."""
    pages = local.batch.get_paginator("list_jobs").paginate(**request)
    return [job["jobId"] for page in pages for job in page["jobSummaryList"]]


def test_without_a_status_only_running_jobs_are_listed(local: Local) -> None:
    done, running = local.submit("exit 0"), local.submit("sleep 300")
    local.wait(done)
    local.wait(running, "RUNNING")
    assert listed(local, jobQueue="local") == [running]
    local.batch.terminate_job(jobId=running, reason="seen")


def test_children_are_listed_by_status_under_their_parent_and_not_in_the_queue(local: Local) -> None:
    parent = local.submit('[ "$AWS_BATCH_JOB_ARRAY_INDEX" != 1 ]', size=3)
    local.wait(parent)
    assert listed(local, arrayJobId=parent, jobStatus="FAILED") == [f"{parent}:1"]
    assert listed(local, arrayJobId=parent, jobStatus="SUCCEEDED") == [f"{parent}:0", f"{parent}:2"]
    assert listed(local, arrayJobId=parent) == []
    assert listed(local, jobQueue="local", jobStatus="FAILED") == [parent]


def test_names_are_found_whatever_their_case_and_status(quick: Local) -> None:
    ids = [quick.submit("exit 0", jobName=name) for name in ("abc-1", "ABC-2", "other")]
    for job_id in ids:
        quick.wait(job_id)
    by_prefix = [{"name": "JOB_NAME", "values": ["Abc*"]}]
    assert listed(quick, jobQueue="local", filters=by_prefix) == [ids[1], ids[0]]
    by_name = [{"name": "JOB_NAME", "values": ["abc-2"]}]
    assert listed(quick, jobQueue="local", filters=by_name, jobStatus="RUNNING") == [ids[1]]


def test_jobs_are_found_by_definition_and_by_time(quick: Local) -> None:
    quick.define("one")
    quick.define("one")
    first, second = (quick.submit("true", jobDefinition=name) for name in ("one:1", "one:2"))

    def found(name: str, value: str) -> list[str]:
        return listed(quick, jobQueue="local", filters=[{"name": name, "values": [value]}])

    assert found("JOB_DEFINITION", "one") == [second, first]
    assert found("JOB_DEFINITION", "on*") == [second, first]
    assert found("JOB_DEFINITION", quick.job(first)["jobDefinition"]) == [first]
    assert found("AFTER_CREATED_AT", "0") == [second, first]
    assert found("BEFORE_CREATED_AT", "1000") == []


def test_pages_lead_to_the_end(local: Local) -> None:
    ids = [local.submit("exit 0") for _ in range(5)]
    for job_id in ids:
        local.wait(job_id)
    paged = listed(local, jobQueue="local", jobStatus="SUCCEEDED", maxResults=1)
    assert paged == list(reversed(ids))


@pytest.mark.parametrize("request_", [{}, {"jobQueue": "local", "arrayJobId": "x"}])
def test_exactly_one_selector_is_wanted(quick: Local, request_: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="Exactly one of"):
        quick.batch.list_jobs(**request_)


def test_a_summary_shows_how_the_job_ended(local: Local) -> None:
    job_id = local.submit("exit 4")
    local.wait(job_id)
    (summary,) = local.batch.list_jobs(jobQueue="local", jobStatus="FAILED")["jobSummaryList"]
    assert summary["container"] == {"exitCode": 4}
    assert summary["statusReason"] == "Essential container in task exited"
    assert {"startedAt", "stoppedAt", "createdAt", "jobArn", "jobDefinition"} <= set(summary)
    assert "isCancelled" not in summary
