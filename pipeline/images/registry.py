"""A repository in ECR: which images it holds, and the door to push others."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.cloud.session import error_code
from pipeline.images.engine import Engine
from pipeline.images.image import Image


class Repository:
    """One repository, its images told apart by their tags; a stack has one for all of its own.

    `uri` is ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME; `ecr` is boto3's client, of that region.
    """

    def __init__(self, ecr: Any, uri: str) -> None:
        self.uri = uri
        self._registry, _, self._name = uri.partition("/")
        self._ecr = ecr

    def digest(self, tag: str) -> str | None:
        """The sha256:… that the tag stands for in the repository; None where it was not pushed."""
        account = self._registry.partition(".")[0]
        try:
            found = self._ecr.describe_images(
                registryId=account, repositoryName=self._name, imageIds=[{"imageTag": tag}]
            )
        except self._ecr.exceptions.ClientError as error:
            if error_code(error) == "ImageNotFoundException":
                return None
            raise
        return str(found["imageDetails"][0]["imageDigest"])

    def reference(self, image: Image) -> str | None:
        """What a job definition calls the image: never moved to other content. None where it was not pushed."""
        digest = self.digest(image.tag)
        return f"{self.uri}@{digest}" if digest else None

    @contextmanager
    def logged_in(self, engine: Engine) -> Iterator[None]:
        """Inside the block the engine may push; after it, it has forgotten the password."""
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        engine.log_in(self._registry, user=user, password=password)
        try:
            yield
        finally:
            engine.log_out(self._registry)

    def push(self, engine: Engine, image: Image) -> None:
        """The repository holds the image; the engine is logged in."""
        remote = f"{self.uri}:{image.tag}"
        engine.tag(image.reference, remote)
        engine.push(remote)
