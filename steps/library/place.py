"""The folder under which a child publishes, as one listing showed it: files, and markers that vouch for some."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fetch_and_run import s3
from steps.library.contract import Files, Folder, Found, Job, Marker, MarkerName


@dataclass
class Place:
    """A folder in the bucket. Jobs have no right to delete, so a marker is retired by an empty one over it."""

    url: str
    folder: Folder

    def standing(self, due: str) -> MarkerName | None:
        """A marker of that digest whose files are all there as it left them, or None."""
        of_due = self.folder.due_now(due)
        return next((marker for marker in of_due if self.published(marker) is not None), None)

    def results(self, fingerprint: str) -> dict[MarkerName, Files]:
        """The markers of that version of a step which hold, and what each vouches for."""
        told = {marker: self.published(marker) for marker in self.folder.made_by(fingerprint)}
        return {marker: files for marker, files in told.items() if files is not None}

    def published(self, marker: MarkerName) -> Files | None:
        """The files that the marker vouches for, or None when they are not there."""
        return self.folder.published(marker, self.read)

    def read(self, marker: MarkerName) -> Marker | None:
        """What the marker says; None when it was retired or removed since it was listed."""
        try:
            content = s3.read(self.of(marker))
        except FileNotFoundError:
            return None
        told: Marker | None = json.loads(content) if content else None
        return told

    def retire(self) -> None:
        """No marker that was listed is live: what follows may replace the files that it vouched for."""
        for marker in self.folder.markers:
            s3.write(self.of(marker), b"")
        self.folder = Folder(self.folder.files, ())

    def begin(self, marker: MarkerName) -> None:
        """An empty marker of that name is there: it vouches for nothing, and tells whose files are to come."""
        s3.write(self.of(marker), b"")

    def mark(self, marker: MarkerName, content: dict[str, Any]) -> None:
        """The marker is live. Whoever calls has uploaded all that it names."""
        s3.write(self.of(marker), json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")

    def of(self, name: MarkerName | str) -> str:
        """The URL of a file or a marker in this folder."""
        return f"{self.url}/{name}"


def own(job: Job, sample: str | None) -> Place:
    """Where this child publishes; beside a reference other steps do too, and their markers are not its own."""
    if job.scope == "sample":
        return look(f"{job.output}/{sample}")
    return look(job.output, job.step if job.scope == "reference" else None)


def look(url: str, step: str | None = None) -> Place:
    """The folder as it is now; beside a reference, `step` says whose markers count."""
    return Place(url, Folder.of(_below(url), step))


def look_into_each(url: str) -> dict[str, Place]:
    """Every folder right below that one as it is now, by its name: one listing for all of them."""
    folders: dict[str, list[tuple[str, Found]]] = {}
    for path, found in _below(url):
        folder, _, name = path.partition("/")
        folders.setdefault(folder, []).append((name, found))
    return {folder: Place(f"{url}/{folder}", Folder.of(files)) for folder, files in folders.items()}


def _below(url: str) -> Iterator[tuple[str, Found]]:
    for stored in s3.listing(url):
        yield stored.url[len(url) + 1 :], Found(stored.etag, stored.size)
