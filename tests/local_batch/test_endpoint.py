"""Starting, finding and stopping the whole endpoint, S3 included."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from local_batch import client, endpoint
from local_batch.errors import EndpointError
from local_batch.home import Home
from local_batch.slow_s3 import SlowS3
from tests.waiting import wait_until

ENDPOINTS = {
    "batch": "AWS_ENDPOINT_URL_BATCH",
    "logs": "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "s3": "AWS_ENDPOINT_URL_S3",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own; nothing runs on it afterwards."""
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(tmp_path))
    yield tmp_path
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    endpoint.stop()
    assert not processes_of(tmp_path)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines that name the folder."""
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if f"{folder}/" in line]


def connect(service: Any, to: endpoint.Endpoint, **keys: str) -> Any:
    """Return a boto3 client of the endpoint."""
    environment = to.environment()
    return boto3.client(
        service,
        endpoint_url=environment[ENDPOINTS[service]],
        region_name=to.region,
        aws_access_key_id=keys.get("key_id", to.access_key_id),
        aws_secret_access_key=keys.get("secret", to.secret_access_key),
    )


def test_start_gives_batch_and_s3_and_starting_again_gives_the_same(home: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        first, second, third = threads.map(lambda _: endpoint.start(runner="process"), range(3))
    assert first == second == third
    assert endpoint.status().endpoint == first
    assert connect("batch", first).describe_job_queues()["jobQueues"][0]["jobQueueName"] == first.queue
    s3 = connect("s3", first)
    s3.create_bucket(Bucket="lab-data")
    s3.put_object(Bucket="lab-data", Key="a", Body=b"1")
    jobs = Home(home / "local").keyring().jobs
    of_jobs = connect("s3", first, key_id=jobs.access_key_id, secret=jobs.secret_access_key)
    of_jobs.put_object(Bucket="lab-data", Key="b", Body=b"2")
    assert [each["Key"] for each in of_jobs.list_objects_v2(Bucket="lab-data")["Contents"]] == ["a", "b"]
    with pytest.raises(ClientError):
        of_jobs.create_bucket(Bucket="of-jobs")
    with pytest.raises(ClientError):
        connect("s3", first, secret="x" * 40).list_buckets()
    endpoint.stop()
    assert not endpoint.status().is_running


def test_after_kill_9_the_next_start_has_the_same_addresses_and_the_same_s3(home: Path) -> None:
    first = endpoint.start(runner="process")
    os.kill(endpoint.status().pid or 0, signal.SIGKILL)
    wait_until(lambda: not endpoint.status().is_running)
    assert endpoint.start() == first


def test_it_ends_by_itself_when_idle(home: Path) -> None:
    endpoint.start(runner="process", idle_s=0.5)
    wait_until(lambda: not processes_of(home))


def test_an_s3_of_the_user_s_own_is_used_and_none_is_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(EndpointError, match="no keys for it"):
        endpoint.start(runner="process")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "my-own-secret")
    started = endpoint.start(runner="process")
    assert (started.s3_url, started.access_key_id) == ("http://127.0.0.1:9", "mine")
    assert connect("batch", started).describe_job_queues()["jobQueues"]
    assert not [line for line in processes_of(home) if "weed" in line]


def test_its_own_address_in_the_environment_is_not_taken_for_the_user_s(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = endpoint.start(runner="process")
    for name, value in first.environment().items():
        monkeypatch.setenv(name, value)
    assert endpoint.start() == first
    endpoint.stop()
    assert endpoint.start() == first


def test_faults_and_events_are_reached_from_outside(home: Path) -> None:
    with pytest.raises(EndpointError, match="not running"):
        client.fault("clear")
    endpoint.start(runner="process")
    assert client.fault("clear") == {}
    with pytest.raises(EndpointError, match="no fault 'none'"):
        client.fault("none")
    assert list(client.events()) == []


ASK_S3 = """
import http.client, os
s3 = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL_S3"].removeprefix("http://"))
s3.request("GET", "/")
print(s3.getresponse().status)
"""


def test_a_slow_s3_answers_slow_down_to_jobs_until_it_is_cleared(home: Path) -> None:
    started = endpoint.start(runner="process")
    s3, batch = connect("s3", started), connect("batch", started)
    s3.create_bucket(Bucket="lab-data")
    s3.put_object(Bucket="lab-data", Key="a", Body=b"1")
    container = {
        "image": "none",
        "command": [sys.executable, "-c", ASK_S3],
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "64"}],
    }
    batch.register_job_definition(jobDefinitionName="ask", type="container", containerProperties=container)

    def asked() -> str:
        job_id = batch.submit_job(jobName="ask", jobQueue="local", jobDefinition="ask")["jobId"]
        wait_until(lambda: batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"] == "SUCCEEDED")
        stream = batch.describe_jobs(jobs=[job_id])["jobs"][0]["container"]["logStreamName"]
        logs = connect("logs", started)
        events = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream)["events"]
        return str(events[0]["message"])

    client.fault("slow-s3", share=1)
    assert asked() == "503"
    client.fault("slow-s3", share=0)
    assert asked() == "403"
    client.fault("clear")
    assert asked() == "403"


def test_what_the_slow_s3_passes_on_is_whole(home: Path) -> None:
    started = endpoint.start(runner="process")
    with closing(SlowS3(started.s3_url, share=0)) as door:
        s3 = connect("s3", replace(started, s3_url=door.url))
        s3.create_bucket(Bucket="lab-data")
        s3.put_object(Bucket="lab-data", Key="a", Body=b"1" * 3_000_000)
        assert s3.get_object(Bucket="lab-data", Key="a")["Body"].read() == b"1" * 3_000_000
