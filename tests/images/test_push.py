"""`images push`: only what the repository lacks, by a stand-in engine that writes down what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import moto
import pytest

from pipeline.cli import images as images_verb
from pipeline.errors import InputError, RefusedError
from pipeline.images import resolve
from pipeline.images.image import Image
from pipeline.images.push import push
from pipeline.images.registry import Repository
from pipeline.stack.deployment import Deployment
from tests.stack.conftest import verb

NAMES = ["base", "kallisto"]


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """An empty repository in moto's ECR."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with moto.mock_aws():
        ecr = boto3.client("ecr")
        made = ecr.create_repository(repositoryName="lab")["repository"]
        yield Repository(ecr, made["repositoryUri"])


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[], list[str]]:
    """A program `engine` that succeeds at all it is told; returns what that was."""
    record = tmp_path / "told"
    program = tmp_path / "engine"
    program.write_text(f'#!/bin/sh\necho "$@" >> {record}\ncase $1 in login) cat >> {record};; esac\n')
    program.chmod(0o755)
    return lambda: record.read_text().splitlines() if record.exists() else []


def pushed(repository: Repository, *names: str) -> None:
    """The repository holds these images."""
    for name in names:
        boto3.client("ecr").put_image(
            repositoryName="lab",
            imageManifest=f'{{"schemaVersion": 2, "name": "{name}"}}',
            imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
            imageTag=Image(name, "x86_64").tag,
        )


def images() -> list[Image]:
    return [Image(name, "x86_64") for name in NAMES]


def deployment(repository: Repository) -> Deployment:
    return Deployment("b", "lab", "lab-ondemand", "role", "role", "log", repository.uri, "x86_64")


def test_what_is_absent_is_pushed_and_what_is_there_is_not(
    repository: Repository, engine: Callable[[], list[str]], tmp_path: Path
) -> None:
    pushed(repository, "base")
    list(push(repository, images(), program=str(tmp_path / "engine"), tell=print))
    assert [line for line in engine() if line.startswith("push")] == [
        f"push {repository.uri}:{images()[1].tag}"
    ]


def test_no_engine_is_needed_when_nothing_is_absent(repository: Repository) -> None:
    pushed(repository, *NAMES)
    references = list(push(repository, images(), program="/no/such/engine", tell=print))
    assert all(reference.startswith(f"{repository.uri}@sha256:") for reference in references)


def test_the_password_goes_by_stdin_and_is_forgotten_afterwards(
    repository: Repository, engine: Callable[[], list[str]], tmp_path: Path
) -> None:
    list(push(repository, images(), program=str(tmp_path / "engine"), tell=print))
    told = engine()
    assert told[0].startswith("login --username AWS --password-stdin 123456789012.dkr.ecr.eu-west-1")
    assert told[-1].startswith("logout 123456789012.dkr.ecr.eu-west-1")
    assert told[1].startswith("123456789012-auth-token")


def test_an_engine_that_fails_is_quoted(repository: Repository, tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text("#!/bin/sh\necho 'no space left on device'\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(RefusedError, match="no space left on device"):
        list(push(repository, images(), program=str(program), tell=print))


def test_a_missing_engine_says_what_to_install(repository: Repository) -> None:
    with pytest.raises(InputError, match="install Docker or Podman"):
        list(push(repository, images(), program="/no/such/engine", tell=print))


def test_steps_name_the_digest_of_their_image(repository: Repository) -> None:
    pushed(repository, *NAMES)
    found = resolve.in_repository(
        boto3.client("ecr"), deployment(repository), ["kallisto", "quay.io/lab/tool:1"]
    )
    assert found["kallisto"].startswith(f"{repository.uri}@sha256:")
    assert found["quay.io/lab/tool:1"] == "quay.io/lab/tool:1"


def test_all_images_that_were_not_pushed_are_named_at_once(repository: Repository) -> None:
    with pytest.raises(InputError, match="images push base kallisto --stack lab"):
        resolve.in_repository(boto3.client("ecr"), deployment(repository), NAMES)


def test_build_prints_what_each_image_is_called_and_tells_what_takes_long(
    engine: Callable[[], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "engine"
    program.write_text(program.read_text() + "[ $1 != image ]\n")  # it holds no image yet
    assert verb(images_verb)("build", "kallisto", "--engine", str(program), "--architecture", "x86_64") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [image.reference for image in images()]
    assert said.err.splitlines() == [f"building {image.name} ({image.tag})" for image in images()]


def test_what_is_being_pushed_is_told(
    repository: Repository, engine: Callable[[], list[str]], tmp_path: Path
) -> None:
    told: list[str] = []
    pushed(repository, "base")
    list(push(repository, images(), program=str(tmp_path / "engine"), tell=told.append))
    assert told == [f"pushing kallisto ({images()[1].tag})"]
