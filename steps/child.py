"""A child of an array job, as a step sees it: fetch what it needs, run the tool, publish what it made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fetch_and_run import s3
from steps import tool
from steps.failure import DataError
from steps.job import Job, fill, on_disk
from steps.marker import Marker, read_marker
from steps.sheet import Sheet


class Child:
    """One sample of one step (or, by scope, the whole run or the reference), in a scratch folder of its own.

    Paths are the same in the bucket's words and on disk, below the scratch folder, which is the working folder:

        input/{sample}.bam     →  input/sample.bam      (a sample's name never becomes a file's name)
        reference/genes.gtf    →  reference/genes.gtf
        picard/r1.fq.gz        →  picard/r1.fq.gz       this sample's file, as the step `picard` published it
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.sheet = Sheet.read(job.sheet) if job.scope != "reference" else Sheet(["sample"], [])
        self.columns = self.sheet.row(job.row) if job.scope == "sample" else {}
        self.sample = self.columns.get("sample")
        self.vcpus = job.vcpus
        self.memory_mib = job.memory_mib
        self.inputs: dict[str, str] = {}  # URL → ETag of every object that was fetched
        self.files: dict[str, dict[str, Any]] = {}  # what was published
        self._markers: dict[str, Marker] = {}

    def fetch(self, *path: str) -> Path:
        """The input is on disk: fetch("picard", "r1.fq.gz"). Raises: DataError when it is missing or not whole."""
        named = "/".join(path)
        local = Path(on_disk(named))
        stored = self._download(named, local)
        self._verify(named, stored)
        self.inputs[stored.url] = stored.etag
        return local

    def reference(self, name: str) -> Path:
        """The file of the reference is on disk. Raises: DataError when it is missing."""
        return self.fetch("reference", name)

    def has_reference(self, name: str) -> bool:
        """The reference has that file."""
        return s3.describe(self.job.source(f"reference/{name}", {})) is not None

    def read_tail(self, path: str, length: int) -> bytes:
        """The input's last bytes, without fetching the rest. Raises: DataError when it is missing."""
        try:
            return s3.read_tail(self.job.source(path, self.columns), length)
        except FileNotFoundError as error:
            raise DataError(f"{self.name(path)} does not exist") from error

    def run(self, program: str, *arguments: str | Path | int, log: str | None = None, **options: Any) -> None:
        """The tool ran in the scratch folder and exited with 0. Raises: ToolError."""
        tool.run(program, *arguments, log=log, **options)

    def publish(self, *files: str, at_least: int = 0) -> None:
        """The files are in the bucket. Raises: DataError when one is missing or has under `at_least` bytes."""
        for file in files:
            check_size(file, at_least)
        for file in files:
            with Path(file).open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            stored = s3.upload(Path(file), f"{self.job.place(self.sample)}/{file}")
            self.files[file] = {"size": stored.size, "etag": stored.etag, "sha256": sha256}

    def name(self, path: str) -> str:
        """The input as messages name it, with the sample's name in it."""
        return fill(path, self.columns)

    def _download(self, path: str, local: Path) -> s3.Stored:
        local.parent.mkdir(parents=True, exist_ok=True)
        try:
            return s3.download(self.job.source(path, self.columns), local)
        except FileNotFoundError as error:
            raise DataError(
                f"{self.name(path)} does not exist: {self.job.source(path, self.columns)}"
            ) from error

    def _verify(self, path: str, stored: s3.Stored) -> None:
        """A file of an earlier step is the one that this step's marker vouches for."""
        step, _, file = path.partition("/")
        if step in ("input", "reference"):
            return
        marker = self._marker(step)
        if marker.get("files", {}).get(file, {}).get("etag") != stored.etag:
            raise DataError(f"{path} is not the file that step {step} published: it was changed or cut since")

    def _marker(self, step: str) -> Marker:
        if step not in self._markers:
            url = self.job.source(f"{step}/_SUCCESS.json", self.columns)
            self._markers[step] = read_marker(url) or {}
        return self._markers[step]


def check_size(file: str, at_least: int) -> None:
    """The file is there and has so many bytes. Raises: DataError."""
    if not Path(file).is_file():
        raise DataError(f"{file} was not made")
    if Path(file).stat().st_size < at_least:
        raise DataError(f"{file} has {Path(file).stat().st_size} bytes, fewer than {at_least}")
