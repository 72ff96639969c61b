"""The stack's repository in ECR: which images it holds, and the door to push others."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.aws import error_code
from pipeline.images.engine import Engine
from pipeline.images.image import Image


class Repository:
    """One repository for all images of a stack, told apart by their tags; `ecr` is boto3's client."""

    def __init__(self, ecr: Any, uri: str) -> None:
        self.uri = uri
        self._registry, _, self._name = uri.partition("/")
        self._ecr = ecr

    def digest(self, image: Image) -> str | None:
        """The image's sha256:… in the repository; None where it was not pushed."""
        try:
            found = self._ecr.describe_images(repositoryName=self._name, imageIds=[{"imageTag": image.tag}])
        except self._ecr.exceptions.ClientError as error:
            if error_code(error) == "ImageNotFoundException":
                return None
            raise
        return str(found["imageDetails"][0]["imageDigest"])

    def reference(self, image: Image) -> str | None:
        """What a job definition calls the image: never moved to other content. None where it was not pushed."""
        digest = self.digest(image)
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
