"""kill -9 at any moment: no job lost, none succeeds twice, none runs beside its own ghost.

BATCH_KILLS sets how many kills (default 8, and 4 with the warm fetch_and_run), BATCH_KILL_SEED where and when.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_batch.endpoint import CHECKOUT
from local_batch.home import Home
from local_batch.launch import SERVER_MARK
from local_batch.settings import Settings
from tests.local_batch.conftest import Local
from tests.waiting import wait_until

KILLS = os.environ.get("BATCH_KILLS")
SEED = int(os.environ.get("BATCH_KILL_SEED", "1"))
SETTINGS = Settings("us-east-1", vcpus=4, memory_mib=2000, runner="process", with_s3=False)
RULES = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]
SCRIPT = """#!/bin/sh
exec 9> "$FOLDER/lock-$AWS_BATCH_JOB_ID"
flock -n 9 || echo "$AWS_BATCH_JOB_ID" >> "$FOLDER/overlaps"
sleep 0.0$((AWS_BATCH_JOB_ARRAY_INDEX % 10))
"""
PYTHON_SCRIPT = """
import fcntl, os, time
folder, job_id = os.environ["FOLDER"], os.environ["AWS_BATCH_JOB_ID"]
lock = open(f"{folder}/lock-{job_id}", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(job_id, file=open(f"{folder}/overlaps", "a"))
if "fetch_and_run.warm" not in open("/proc/self/cmdline").read():
    print(job_id, file=open(f"{folder}/cold", "a"))
time.sleep(int(os.environ["AWS_BATCH_JOB_ARRAY_INDEX"]) % 10 / 100)
"""
BUCKET = "lab-data"


class Killed:
    """A daemon that is killed and started again, and what it was asked to do and acknowledged."""

    def __init__(self, folder: Path, *, with_s3: bool = False) -> None:
        self.home = Home(folder)
        self.settings = replace(SETTINGS, with_s3=with_s3)
        self.keys = self.home.keyring().user
        self.acknowledged: list[str] = []
        self.start().wait_ready()

    def start(self) -> Killed:
        """Start a daemon on the folder."""
        self.ready, told = os.pipe()
        arguments = [str(self.home.folder), json.dumps(asdict(self.settings)), str(told)]
        with self.home.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local_batch.daemon", *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)},
                pass_fds=[told],
                stderr=log,
            )
        os.close(told)
        return self

    def wait_ready(self) -> None:
        """Return once it serves."""
        with os.fdopen(self.ready) as said:
            assert json.loads(said.read()) == {}
        self.batch = self.client("batch", f"http://127.0.0.1:{(self.home.folder / 'port').read_text()}")

    def client(self, service: Any, url: str) -> Any:
        """Return a boto3 client that asks once."""
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=self.keys.access_key_id,
            aws_secret_access_key=self.keys.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def submit(self, definition: str, **request: Any) -> str | None:
        """Submit, and remember the job when that is acknowledged."""
        try:
            answer = self.batch.submit_job(jobName="j", jobQueue="local", jobDefinition=definition, **request)
        except (BotoCoreError, ClientError):
            return None
        self.acknowledged.append(answer["jobId"])
        return str(answer["jobId"])

    def submit_chain(self, size: int) -> None:
        """Submit two arrays, child after child."""
        first = self.submit("first", arrayProperties={"size": size})
        if first is not None:
            after = [{"jobId": first, "type": "N_TO_N"}]
            self.submit("second", arrayProperties={"size": size}, dependsOn=after)

    def define(self, name: str, variables: dict[str, str], **container: Any) -> None:
        """Register the definition of the first or the second array."""
        variables = {"FOLDER": str(self.home.folder), **variables}
        self.batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            retryStrategy={"attempts": 10, "evaluateOnExit": RULES},
            containerProperties={
                "image": "none",
                "environment": [{"name": key, "value": value} for key, value in variables.items()],
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "256"}],
                **container,
            },
        )

    def define_fetched(self, name: str, program: str, text: str) -> None:
        """Register a definition without a command, whose program is in S3."""
        s3 = self.client("s3", json.loads(self.home.endpoint.read_text())["s3_url"])
        s3.put_object(Bucket=BUCKET, Key=program, Body=text.encode())
        url = f"s3://{BUCKET}/{program}"
        self.define(name, {"BATCH_FILE_TYPE": "script", "BATCH_FILE_S3_URL": url})

    def described(self, job_ids: list[str]) -> list[dict[str, Any]]:
        """Return jobs as DescribeJobs shows them."""
        jobs: list[dict[str, Any]] = []
        for start in range(0, len(job_ids), 100):
            jobs += self.batch.describe_jobs(jobs=job_ids[start : start + 100])["jobs"]
        return jobs

    def children(self) -> list[dict[str, Any]]:
        """Return all children of all acknowledged arrays."""
        sizes = {job["jobId"]: job["arrayProperties"]["size"] for job in self.described(self.acknowledged)}
        assert set(sizes) == set(self.acknowledged)
        return self.described(
            [f"{parent}:{index}" for parent, size in sizes.items() for index in range(size)]
        )


def test_kill_9_at_any_moment_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    daemon = Killed(tmp_path / "home")
    for name in ("first", "second"):
        daemon.define(name, {}, command=["sh", "-c", SCRIPT])
    survive(daemon, int(KILLS or 8))


@pytest.mark.skipif(sys.platform != "linux", reason="fetch_and_run is kept warm on Linux only")
def test_kill_9_loses_and_repeats_nothing_of_what_the_warm_fetch_and_run_started(tmp_path: Path) -> None:
    daemon = Killed(tmp_path / "home", with_s3=True)
    s3 = daemon.client("s3", json.loads(daemon.home.endpoint.read_text())["s3_url"])
    s3.create_bucket(Bucket=BUCKET)
    daemon.define_fetched("first", "program.py", PYTHON_SCRIPT)
    daemon.define_fetched("second", "program.sh", SCRIPT)
    survive(daemon, int(KILLS or 4))
    assert not (daemon.home.folder / "cold").exists()


def survive(daemon: Killed, kills: int) -> None:
    """It is killed and started again so often, and all that it acknowledged ends as it should."""
    chance = random.Random(SEED)
    for number in range(kills):
        if number % 10 == 0:
            daemon.submit_chain(chance.randint(10, 40))
        time.sleep(chance.uniform(0, 0.3))  # the moment is the point
        daemon.kill()
        daemon.start()
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 0.6))
            os.close(daemon.ready)
            daemon.kill()
            daemon.start()
        daemon.wait_ready()
    wait_until(
        lambda: all(job["status"] in ("SUCCEEDED", "FAILED") for job in daemon.described(daemon.acknowledged))
    )
    for child in daemon.children():
        check_record(child)
    assert not (daemon.home.folder / "overlaps").exists()
    daemon.process.terminate()
    daemon.process.wait()
    assert not [each for each in psutil.process_iter() if _marked(each, daemon.home.server_id())]


def test_a_stop_ends_what_runs_and_the_next_start_takes_it_up_as_a_lost_host(tmp_path: Path) -> None:
    local = Local(tmp_path / "home")
    script = '[ "$AWS_BATCH_JOB_ATTEMPT" = 2 ] || sleep 300'
    retried = local.submit(script, retryStrategy={"attempts": 2})
    once = local.submit("sleep 300")
    waiting = local.submit("exit 0", dependsOn=local.after(retried))
    for job_id in (retried, once):
        local.wait(job_id, "RUNNING")
    local.close()
    assert not [each for each in psutil.process_iter() if _marked(each, local.home.server_id())]
    local.open()
    assert local.wait(waiting)["status"] == "SUCCEEDED"
    attempts = local.job(retried)["attempts"]
    assert [attempt["container"].get("exitCode") for attempt in attempts] == [None, 0]
    assert local.wait(once)["statusReason"].startswith("Host EC2 (instance i-")
    local.close()


def test_a_stop_leaves_nothing_behind_of_what_was_about_to_start(tmp_path: Path) -> None:
    for number in range(5):
        local = Local(tmp_path / f"home-{number}")
        local.submit("sleep 300", size=4)
        local.close()
        assert not [each for each in psutil.process_iter() if _marked(each, local.home.server_id())]
        assert local.host.running == 0


def test_an_array_comes_back_as_it_was(tmp_path: Path) -> None:
    local = Local(tmp_path / "home")
    parent = local.submit('[ "$AWS_BATCH_JOB_ARRAY_INDEX" != 1 ]', size=3, tags={"a": "b"})
    local.wait(parent)
    ids = [parent, *(f"{parent}:{index}" for index in range(3))]
    before = local.batch.describe_jobs(jobs=ids)["jobs"]
    local.close()
    local.open()
    after = local.batch.describe_jobs(jobs=ids)["jobs"]
    for job in (*before, *after):
        job["arrayProperties"].pop("statusSummaryLastUpdatedAt", None)
    assert after == before
    local.close()


def check_record(child: dict[str, Any]) -> None:
    """The record of a child is one that AWS could have shown."""
    codes = [attempt["container"].get("exitCode") for attempt in child["attempts"]]
    reasons = [attempt["statusReason"] for attempt in child["attempts"]]
    lost = [reason.startswith("Host EC2") for reason in reasons]
    if child["status"] == "SUCCEEDED":
        assert codes == [None] * (len(codes) - 1) + [0]
        assert lost == [True] * (len(codes) - 1) + [False]
    else:
        assert reasons == [] or (len(reasons) == 10 and all(lost)), (child["jobId"], reasons)


def _marked(process: psutil.Process, server_id: str) -> bool:
    try:
        return process.environ().get(SERVER_MARK) == server_id
    except (psutil.Error, OSError):
        return False
