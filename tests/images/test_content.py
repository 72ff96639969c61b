"""An image counts by its content: a moved tag is another image, a newer fetch_and_run is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from botocore.exceptions import ClientError

from pipeline.cloud.session import Cloud
from pipeline.images import image as module
from pipeline.images.content import content, contents
from pipeline.images.image import Image, names
from pipeline.images.site import describe_site

REGION, ELSEWHERE = "eu-west-1", "us-east-2"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
DIGEST = f"sha256:{'0' * 64}"


class Here(Cloud):
    """This machine, as far as images are concerned."""

    def __init__(self) -> None:
        self.is_local = True


class Refused(Cloud):
    """An account whose ECR answers every question with one code."""

    def __init__(self, code: str) -> None:
        super().__init__(region=REGION)
        self.code = code

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        assert service == "ecr"
        return self

    exceptions = boto3.client("ecr", region_name=REGION).exceptions

    def describe_images(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "DescribeImages")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account of moto's."""
    with moto.mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        yield Cloud()


def push(uri: str, tag: str, body: str, *, region: str = ELSEWHERE) -> str:
    """The tag stands for this body in the registry of that region; its digest is returned."""
    ecr = boto3.client("ecr", region_name=region)
    name = uri.partition("/")[2]
    layers = [{"digest": body, "size": 1}]
    manifest = json.dumps({"schemaVersion": 2, "config": {"size": 1}, "layers": layers})
    put = ecr.put_image(
        repositoryName=name, imageManifest=manifest, imageManifestMediaType=MEDIA_TYPE, imageTag=tag
    )
    return str(put["image"]["imageId"]["imageDigest"])


@pytest.fixture
def uri(cloud: Cloud) -> str:
    """A repository in the registry of another region."""
    ecr = boto3.client("ecr", region_name=ELSEWHERE)
    return str(ecr.create_repository(repositoryName="lab/tool")["repository"]["repositoryUri"])


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The only container engine of this machine: a shell script of that body."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(body: str) -> None:
        file = tmp_path / "docker"
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    return write


def fingerprints() -> dict[str, str]:
    return {name: Image(name, "").content for name in names()}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's image files, to be changed."""
    for folder in ("dockerfiles", "fetch_and_run"):
        shutil.copytree(module.ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "dockerfiles")
    return tmp_path


def test_a_newer_entrypoint_is_another_image_of_the_same_content(copy: Path) -> None:
    tag, before = Image("picard", "x86_64").tag, fingerprints()
    with (copy / "fetch_and_run" / "__main__.py").open("a") as file:
        file.write("# newer\n")
    assert fingerprints() == before
    assert Image("picard", "x86_64").tag != tag


def test_a_changed_dockerfile_changes_its_own_content_and_its_childrens(copy: Path) -> None:
    before = fingerprints()
    with (copy / "dockerfiles" / "kallisto" / "Dockerfile").open("a") as file:
        file.write("RUN true\n")
    assert {name for name, found in fingerprints().items() if found != before[name]} == {"kallisto", "pizzly"}


def test_an_image_of_ours_is_what_its_files_are_here_and_on_aws(cloud: Cloud) -> None:
    assert content(cloud, "picard") == content(Here(), "picard") == Image("picard", "arm64").content


@pytest.mark.parametrize("name", [f"quay.io/lab/tool@{DIGEST}", f"quay.io/lab/tool:1@{DIGEST}"])
def test_a_reference_by_digest_is_that_digest(cloud: Cloud, name: str) -> None:
    assert content(cloud, name) == content(Here(), name) == DIGEST
    assert not cloud.calls


def test_a_tag_in_ecr_is_the_digest_it_stands_for_now(cloud: Cloud, uri: str) -> None:
    first = push(uri, "v1", "first")
    assert content(cloud, f"{uri}:v1") == first
    boto3.client("ecr", region_name=ELSEWHERE).batch_delete_image(
        repositoryName="lab/tool", imageIds=[{"imageTag": "v1"}]
    )
    moved = push(uri, "v1", "second")
    assert content(cloud, f"{uri}:v1") == moved != first


def test_no_tag_is_the_tag_latest(cloud: Cloud, uri: str) -> None:
    digest = push(uri, "latest", "newest")
    assert content(cloud, uri) == digest


def test_the_registry_of_the_name_is_asked_in_its_region(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    class Ecr:
        def describe_images(self, **members: Any) -> dict[str, Any]:
            asked.update(members)
            return {"imageDetails": [{"imageDigest": DIGEST}]}

    def client(service: str, *, region: str) -> Ecr:
        asked.update(service=service, region=region)
        return Ecr()

    monkeypatch.setattr(cloud, "client", client)
    assert content(cloud, "210987654321.dkr.ecr.ap-south-1.amazonaws.com/a/b:v2") == DIGEST
    assert asked == {
        "service": "ecr",
        "region": "ap-south-1",
        "registryId": "210987654321",
        "repositoryName": "a/b",
        "imageIds": [{"imageTag": "v2"}],
    }


@pytest.mark.parametrize("name", ["quay.io/lab/tool:1", "debian", "ecr.amazonaws.com/x:1"])
def test_a_tag_of_another_registry_is_its_name_on_aws(cloud: Cloud, name: str) -> None:
    assert content(cloud, name) == name
    assert not cloud.calls


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "RepositoryNotFoundException", "ImageNotFoundException"]
)
def test_a_registry_that_refuses_to_say_leaves_the_name(code: str) -> None:
    name = "210987654321.dkr.ecr.ap-south-1.amazonaws.com/tool:v2"
    assert content(Refused(code), name) == name


def test_a_registry_that_is_busy_does_not_make_every_result_new() -> None:
    with pytest.raises(ClientError):
        content(Refused("ThrottlingException"), "210987654321.dkr.ecr.ap-south-1.amazonaws.com/tool:v2")


def test_on_this_machine_a_tag_is_the_image_that_the_engine_holds(program: Callable[[str], None]) -> None:
    program(f'[ "$1 $2 $5" = "image inspect quay.io/lab/tool:1" ] && echo {DIGEST}')
    assert content(Here(), "quay.io/lab/tool:1") == DIGEST
    assert content(Here(), "quay.io/lab/tool:2") == "quay.io/lab/tool:2"


@pytest.mark.parametrize("body", [None, "exit 1", "exit 0"])
def test_an_engine_that_is_not_there_or_says_nothing_leaves_the_name(
    program: Callable[[str], None], body: str | None
) -> None:
    if body:
        program(body)
    assert content(Here(), "quay.io/lab/tool:1") == "quay.io/lab/tool:1"


def test_a_site_says_the_content_of_each_image(cloud: Cloud, uri: str) -> None:
    digest = push(uri, "v1", "first")
    site = describe_site(cloud, None, {"base", f"{uri}:v1"})
    assert site.contents == {"base": Image("base", "").content, f"{uri}:v1": digest}
    assert site.images[f"{uri}:v1"] == f"{uri}:v1"
    assert describe_site(Here(), None, ["base"]).contents == contents(Here(), ["base"])
