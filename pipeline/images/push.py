"""The stack's repository holds the images: those that it lacks are built and pushed, the others left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipeline.images.engine import Engine
from pipeline.images.image import Image
from pipeline.images.registry import Repository

Tell = Callable[[str], None]


def push(
    repository: Repository, images: Sequence[Image], *, program: str | None, tell: Tell
) -> Iterator[str]:
    """Yields each image's reference by digest; starts no engine when nothing is absent.

    `program` is the engine's, if not the first there is; `tell` hears what takes long, as it starts.
    """
    absent = [image for image in images if repository.digest(image.tag) is None]
    if absent:
        _push_absent(repository, absent, Engine(program), tell)
    for image in images:
        yield repository.reference(image) or ""


def _push_absent(repository: Repository, images: Sequence[Image], engine: Engine, tell: Tell) -> None:
    with repository.logged_in(engine):
        for image in images:
            for ancestor in image.lineage:
                engine.ensure(ancestor, tell=tell)
            tell(f"pushing {image.name} ({image.tag})")
            repository.push(engine, image)
