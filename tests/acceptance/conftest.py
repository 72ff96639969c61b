"""The command as a user types it, on an endpoint of the tests' own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_batch import endpoint
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.command import ROOT, Answer, run, start
from tests.acceptance.lab import Lab

__all__ = ["ROOT", "Answer", "run", "start"]
WORDS = Path(__file__).parent / "words"


@pytest.fixture(scope="session")
def cloud(own_state: Path) -> Iterator[Cloud]:
    """Clients of the endpoint, which runs while the tests do."""
    started = endpoint.start(runner="process")
    yield Cloud(started)
    endpoint.stop()


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, request: pytest.FixtureRequest) -> Bucket:
    """A bucket of the module's own."""
    bucket = Bucket(cloud, request.module.__name__.rpartition(".")[2].replace("_", "-"))
    bucket.create()
    return bucket


@pytest.fixture(scope="session")
def words() -> Path:
    """The files of the pipeline that counts words."""
    return WORDS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the pipeline that counts words, in a folder to write in."""
    return shutil.copytree(WORDS, tmp_path / "words")


@pytest.fixture
def lab(bucket: Bucket, folder: Path, request: pytest.FixtureRequest) -> Lab:
    """The pipeline that counts words, under a name of the test's own."""
    return Lab(bucket, folder, pipeline_name(request))


@pytest.fixture
def gate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the second step waits to see gone."""
    gate = folder / "gate"
    gate.touch()
    monkeypatch.setenv("GATE", str(gate))
    return gate


@pytest.fixture
def no_faults(cloud: Cloud) -> Iterator[None]:
    """Whatever goes wrong on purpose goes wrong in one test only."""
    yield
    run("local", "fault", "clear")


@pytest.fixture
def as_aws(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint is what this account's AWS Batch and S3 are: any queue of its is asked as one of AWS."""
    here = endpoint.status().endpoint
    assert here is not None
    for name, value in here.environment().items():
        monkeypatch.setenv(name, value)


def pipeline_name(request: pytest.FixtureRequest) -> str:
    """A legal name of a pipeline, made of the test's number in its module and its words."""
    words = re.sub(r"[^a-z0-9]+", "-", str(request.node.name).removeprefix("test_")).strip("-")
    number = list(request.session.items).index(request.node)
    return f"t{number}-{words}"[:36].strip("-")
