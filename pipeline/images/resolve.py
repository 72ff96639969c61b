"""What a step's `image` is called where it runs: by digest in the stack's repository, by tag on this machine.

A name that is not a folder of dockerfiles/ is a reference to some registry, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.errors import InputError, Problem
from pipeline.images.engine import architecture_here
from pipeline.images.image import Image, is_ours
from pipeline.images.registry import Repository
from pipeline.stack.deployment import Deployment


def on_this_machine(names: Iterable[str]) -> dict[str, str]:
    """Step's image ↔ what the engine of this machine calls it."""
    return {name: Image(name, architecture_here()).reference if is_ours(name) else name for name in names}


def in_repository(ecr: Any, deployment: Deployment, names: Iterable[str]) -> dict[str, str]:
    """Step's image ↔ repository@sha256:…. Raises: InputError with all images that were not pushed."""
    repository = Repository(ecr, deployment.repository_uri)
    found = {
        name: repository.reference(Image(name, deployment.architecture)) if is_ours(name) else name
        for name in names
    }
    missing = [name for name, reference in found.items() if reference is None]
    if missing:
        fix = f"python main.py images push {' '.join(missing)} --stack {deployment.queue}"
        what = f"not pushed, or changed since: {', '.join(missing)}"
        raise InputError(Problem(what, repository.uri, fix))
    return {name: reference for name, reference in found.items() if reference}
