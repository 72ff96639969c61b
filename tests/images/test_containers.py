"""The images, really built and really run. Needs a container engine; see conftest.py."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.images.engine import Engine, architecture_here
from pipeline.images.image import Image, find

SCRIPT = b"""#!/bin/bash
id -un
tr a-z A-Z < "/data_in/$1/signal.txt" > "/data_out/$SAMPLE.txt"
mkdir -p /data_out/more && echo 1 > /data_out/more/deep.txt
touch /data_in/no 2>/dev/null || echo read-only
exit 7
"""


@dataclass(frozen=True)
class Containers:
    """Runs programs in the images that were built."""

    engine: Engine

    def run(self, image: str, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [self.engine.program, "run", "--rm", "--network", "host", *options]
        reference = Image(image, architecture_here()).reference
        return subprocess.run([*command, reference, *words], capture_output=True, text=True, check=False)

    def program(self, image: str, program: str, *words: str) -> str:
        """What a program in the image prints, on both streams."""
        ran = self.run(image, *words, options=("--entrypoint", program))
        return ran.stdout + ran.stderr


@pytest.fixture(scope="session")
def containers(engine: Engine) -> Containers:
    """All images, built unless they are there."""
    for image in find([], architecture_here()):
        engine.ensure(image, tell=print)
    return Containers(engine)


@pytest.fixture
def s3() -> Iterator[tuple[Any, dict[str, str]]]:
    """An S3 endpoint on loopback: its client, and the environment that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
    }
    client = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )
    yield client, environment
    server.stop()


@pytest.mark.parametrize(
    ("image", "program", "words", "expected"),
    [
        ("picard", "PicardCommandLine", ["-Xmx256m", "SamToFastq", "--version"], "2.27.5"),
        ("kallisto", "kallisto", ["version"], "0.48.0"),
        ("pizzly", "pizzly", ["--version"], "0.37.3"),
        ("pizzly", "kallisto", ["version"], "0.48.0"),
        ("base", "s3fs", ["--version"], "V1.90"),
    ],
)
def test_an_image_runs_its_program(
    containers: Containers, image: str, program: str, words: list[str], expected: str
) -> None:
    assert expected in containers.program(image, program, *words)


@pytest.mark.parametrize("image", ["base", "picard", "kallisto", "pizzly"])
def test_every_image_runs_as_an_unprivileged_user(containers: Containers, image: str) -> None:
    assert containers.program(image, "id", "-un") == "batch\n"


def test_the_entrypoint_is_fetch_and_run_under_an_init(containers: Containers) -> None:
    ran = containers.run("picard")
    assert ran.returncode == 64
    assert "BATCH_FILE_TYPE is not set" in ran.stderr


def test_a_script_in_the_bucket_runs_and_its_exit_code_is_the_containers(
    containers: Containers, s3: tuple[Any, dict[str, str]]
) -> None:
    client, environment = s3
    client.create_bucket(Bucket="code")
    client.put_object(Bucket="code", Key="say.sh", Body=b'#!/bin/sh\necho "hello $1"\nexit 3\n')
    script = {"BATCH_FILE_TYPE": "script", "BATCH_FILE_S3_URL": "s3://code/say.sh"}
    ran = containers.run("base", "you there", options=_set(environment | script))
    assert (ran.returncode, ran.stdout) == (3, "hello you there\n")


def test_buckets_are_mounted_and_a_users_script_runs_unchanged_over_the_participants(
    containers: Containers, s3: tuple[Any, dict[str, str]]
) -> None:
    client, environment = s3
    for bucket in ("foreign", "results", "code"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="foreign", Key="study/people.tsv", Body=b"participant_id\nsub-01\nsub-02\n")
    client.put_object(Bucket="foreign", Key="study/sub-02/signal.txt", Body=b"signal\n")
    client.put_object(Bucket="code", Key="user.sh", Body=SCRIPT)
    job = {
        "BATCH_FILE_TYPE": "script",
        "BATCH_FILE_S3_URL": "s3://code/user.sh",
        "MOUNT_INPUT": "s3://foreign/study",
        "MOUNT_OUTPUT": "s3://results/run-1",
        "AWS_BATCH_JOB_ARRAY_INDEX": "1",
    }
    words = ["--participants", "/data_in/people.tsv", "{sample}"]
    ran = containers.run("base", *words, options=(*_fuse(), *_set(environment | job)))
    assert ran.returncode == 7, ran.stderr
    assert "read-only" in ran.stdout
    assert client.get_object(Bucket="results", Key="run-1/sub-02.txt")["Body"].read() == b"SIGNAL\n"
    assert client.get_object(Bucket="results", Key="run-1/more/deep.txt")["Body"].read() == b"1\n"


def test_a_mount_that_is_refused_fails_the_job_before_it_starts(
    containers: Containers, s3: tuple[Any, dict[str, str]]
) -> None:
    _, environment = s3
    ran = containers.run("base", options=(*_fuse(), *_set(environment | {"MOUNT_INPUT": "s3://absent"})))
    assert ran.returncode == 64
    assert "s3fs does not mount absent at /data_in" in ran.stderr


def _set(environment: dict[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in environment.items() for word in ("--env", f"{name}={value}"))


def _fuse() -> tuple[str, ...]:
    """What `privileged` in a job definition gives; root where this machine's /dev/fuse is for root alone."""
    is_open = bool(stat.S_IMODE(Path("/dev/fuse").stat().st_mode) & 0o006)
    return ("--privileged",) if is_open else ("--privileged", "--user", "root")
