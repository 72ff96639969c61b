"""A whole endpoint in this process, without S3, spoken to by unmodified boto3."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_batch.assembly import assemble
from local_batch.clock import Clock, HandClock
from local_batch.home import Home
from local_batch.host import Host
from local_batch.job import Job
from local_batch.server import Server
from local_batch.settings import Settings

REGION = "eu-west-1"
IMAGE = "debian:bookworm-slim"
WITHIN_S = 60.0
POLL_S = 0.02  # so long does a server's shutdown take
SESSION = boto3.session.Session()
OVER = ("SUCCEEDED", "FAILED")


class Local:
    """The endpoint, its clients, and the few verbs that tests need."""

    def __init__(self, folder: Path, *, runner: str = "process", clock: Clock | None = None) -> None:
        self.home = Home(folder)
        self.runner = runner
        self.clock = clock or Clock()
        self.open()

    def open(self) -> None:
        """Start, on what an earlier one left in the folder."""
        keys = self.home.keyring()
        settings = Settings(REGION, vcpus=4, memory_mib=2000, runner=self.runner, with_s3=False)
        self.host: Host = assemble(self.home, settings, keys, clock=self.clock, endpoints={})
        self.server = Server(0, self.host, keys.user)
        self.host.open()
        threading.Thread(target=self.server.serve_forever, args=[POLL_S], daemon=True).start()
        self.keys = keys.user
        self.batch = self.client("batch")
        self.logs = self.client("logs")

    def close(self) -> None:
        """End it and whatever runs on it."""
        self.server.shutdown()
        self.server.server_close()
        self.host.close()

    def client(self, service: str, **changes: Any) -> Any:
        """Return a boto3 client of this endpoint."""
        settings = {
            "endpoint_url": self.server.url,
            "region_name": REGION,
            "aws_access_key_id": self.keys.access_key_id,
            "aws_secret_access_key": self.keys.secret_access_key,
            "config": Config(retries={"total_max_attempts": 1}),
        }
        return SESSION.client(service, **{**settings, **changes})  # type: ignore[call-overload]

    def define(self, name: str = "job", *, vcpus: int = 1, memory_mib: int = 64, **changes: Any) -> str:
        """Register a job definition and return its ARN; `changes` are members of the container or of the whole."""
        whole = {key: changes.pop(key) for key in list(changes) if key in WHOLE_MEMBERS}
        requirements = [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": str(memory_mib)}]
        container = {"image": IMAGE, "command": ["true"], "resourceRequirements": requirements, **changes}
        answer = self.batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container, **whole
        )
        return str(answer["jobDefinitionArn"])

    def submit(self, script: str | None = None, *, size: int | None = None, **request: Any) -> str:
        """Submit a shell script as a job, or an array job of a size, and return its id."""
        if "jobDefinition" not in request:
            if not self.batch.describe_job_definitions(jobDefinitions=["job"])["jobDefinitions"]:
                self.define()
            request["jobDefinition"] = "job"
        if script is not None:
            overrides = request.setdefault("containerOverrides", {})
            overrides["command"] = ["sh", "-c", script]
        if size is not None:
            request["arrayProperties"] = {"size": size}
        answer = self.batch.submit_job(**{"jobName": "test", "jobQueue": "local", **request})
        return str(answer["jobId"])

    def after(self, *job_ids: str, kind: str | None = None) -> list[dict[str, str]]:
        """Return dependsOn of these jobs."""
        return [{"jobId": job_id, "type": kind} if kind else {"jobId": job_id} for job_id in job_ids]

    def job(self, job_id: str) -> dict[str, Any]:
        """Return one job as DescribeJobs shows it."""
        job: dict[str, Any] = self.batch.describe_jobs(jobs=[job_id])["jobs"][0]
        return job

    def status(self, job_id: str) -> str:
        """Return one job's status."""
        return str(self.job(job_id)["status"])

    def wait(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """Return the job once it has one of these statuses; without any, once it is over."""
        self.wait_until(lambda: self.record(job_id).status in (statuses or OVER))
        return self.job(job_id)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Return once the condition holds; it is looked at whenever a job changes."""
        with self.host.changed:
            if not self.host.changed.wait_for(condition, WITHIN_S):
                raise TimeoutError(condition)

    def record(self, job_id: str) -> Job:
        """Return the engine's own record of a job."""
        job = self.host.engine.find(job_id)
        assert job is not None
        return job

    def log(self, job_id: str) -> list[str]:
        """Return what a job's last attempt wrote."""
        stream = self.job(job_id)["container"]["logStreamName"]
        events = self.logs.get_log_events(
            logGroupName="/aws/batch/job", logStreamName=stream, startFromHead=True
        )
        return [event["message"] for event in events["events"]]


WHOLE_MEMBERS = frozenset(
    {
        "parameters",
        "retryStrategy",
        "timeout",
        "tags",
        "propagateTags",
        "platformCapabilities",
        "schedulingPriority",
        "consumableResourceProperties",
    }
)


def has_engine() -> bool:
    """True when a container engine answers and has the tests' image."""
    try:
        asked = subprocess.run(
            ["/usr/bin/docker", "image", "inspect", IMAGE], capture_output=True, check=False
        )
    except OSError:
        return False
    return asked.returncode == 0


@pytest.fixture(params=["process", "container"])
def runner(request: pytest.FixtureRequest) -> str:
    """How jobs run: once as processes and once in containers."""
    if request.param == "container" and not has_engine():
        if os.environ.get("CI"):
            pytest.fail("no container engine answers, and CI should have one")
        pytest.skip("no container engine answers, or it lacks the image " + IMAGE)
    return str(request.param)


@pytest.fixture
def local(runner: str, tmp_path: Path) -> Iterator[Local]:
    """An endpoint, once on processes and once on containers."""
    endpoint = Local(tmp_path / "home", runner=runner)
    yield endpoint
    endpoint.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Local]:
    """An endpoint on processes, for what has nothing to do with how jobs run."""
    endpoint = Local(tmp_path / "home")
    yield endpoint
    endpoint.close()


@pytest.fixture
def hand_clock() -> HandClock:
    """A clock that stands at now until it is moved."""
    return HandClock(Clock().now_ms())


@pytest.fixture
def timed(runner: str, tmp_path: Path, hand_clock: HandClock) -> Iterator[Local]:
    """An endpoint whose clock the test moves, once on processes and once on containers."""
    endpoint = Local(tmp_path / "home", runner=runner, clock=hand_clock)
    yield endpoint
    endpoint.close()
