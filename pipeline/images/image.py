"""An image as its files describe it; its tag is a digest of them, and of its parent's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import InputError, Problem

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "dockerfiles"
LOCAL_NAME = "batch-pipeline"
ENTRYPOINT = "fetch_and_run"  # a folder of the project that the base image holds
PARENT = re.compile(r"^ARG PARENT=(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Image:
    """The image of dockerfiles/<name>, for one processor architecture (x86_64 or arm64)."""

    name: str
    architecture: str

    @cached_property
    def parent(self) -> Image | None:
        """The image that its Dockerfile's `ARG PARENT=` names; None where that is not one of ours, as for base."""
        named = PARENT.search((FOLDER / self.name / "Dockerfile").read_text())
        return Image(named[1], self.architecture) if named and is_ours(named[1]) else None

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """What a build sees: path in its context ↔ file."""
        folders = {"": FOLDER / self.name}
        if self.name == "base":
            folders[f"{ENTRYPOINT}/"] = ROOT / ENTRYPOINT
        return {
            prefix + path.relative_to(folder).as_posix(): path
            for prefix, folder in folders.items()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    @cached_property
    def tag(self) -> str:
        """<name>-<architecture>-<digest>: the same files on the same parent have the same tag."""
        return f"{self.name}-{self.architecture}-{_digest(self.parent.tag if self.parent else '', self.files)[:12]}"

    @cached_property
    def content(self) -> str:
        """A digest of what results depend on: its files and its parents', whatever the architecture.

        fetch_and_run is left out: a newer one is another image, and makes no old result wrong.
        """
        own = {name: path for name, path in self.files.items() if not name.startswith(f"{ENTRYPOINT}/")}
        return _digest(self.parent.content if self.parent else "", own)

    @property
    def reference(self) -> str:
        """What the image is called on this machine."""
        return f"{LOCAL_NAME}:{self.tag}"

    @property
    def lineage(self) -> list[Image]:
        """The images to build, in order: base first, this one last."""
        return [*(self.parent.lineage if self.parent else []), self]


def _digest(parent: str, files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256(parent.encode())
    for name, path in files.items():
        executable = path.stat().st_mode & 0o100
        digest.update(f"\0{name}\0{executable}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def names() -> list[str]:
    """The images there are, base first."""
    found = sorted(path.parent.name for path in FOLDER.glob("*/Dockerfile"))
    return sorted(found, key=lambda name: len(Image(name, "").lineage))


def is_ours(name: str) -> bool:
    """Whether a step's image is one of dockerfiles/, and not a reference to any other registry."""
    return bool(re.fullmatch(r"[a-z0-9_-]+", name)) and (FOLDER / name / "Dockerfile").is_file()


def find(wanted: list[str], architecture: str) -> list[Image]:
    """The images of these names, or all; each one's parents come before it. Raises: InputError for unknown names."""
    unknown = [name for name in wanted if not is_ours(name)]
    if unknown:
        fix = f"choose from: {', '.join(names())}"
        raise InputError([Problem(f"there is no image {name!r}", f"{FOLDER.name}/", fix) for name in unknown])
    lineages = (Image(name, architecture).lineage for name in wanted or names())
    return list(dict.fromkeys(image for lineage in lineages for image in lineage))
