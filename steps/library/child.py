"""A child of an array job, as a step sees it: fetch what it needs, run the tool, publish what it made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fetch_and_run import s3
from steps.library import tool
from steps.library.contract import MADE, Job, MarkerName, due
from steps.library.inputs import Inputs
from steps.library.outputs import check_output
from steps.library.pin import pin
from steps.library.place import own
from steps.library.sheet import Columns, Sheet


class Child:
    """One sample of one step (or, by scope, the whole run or the reference), in a scratch folder of its own.

    Paths are the same in the bucket's words and on disk, below the scratch folder, which is the working folder:

        input/{sample}.bam     →  input/sample.bam      (a sample's name never becomes a file's name)
        reference/genes.gtf    →  reference/genes.gtf
        picard/r1.fq.gz        →  picard/r1.fq.gz       this sample's file, as the step `picard` published it
    """

    def __init__(self, job: Job, sheet: Sheet) -> None:
        """The child's place and inputs are known as they are now; `sheet` holds the rows that it is about.

        Raises: DataError naming the inputs that are missing.
        """
        rows = sheet.rows()
        declared = sheet.only(job.columns)
        row, seen = (rows[0], declared.rows()[0]) if job.scope == "sample" else ({}, {})
        self.job = job
        self.sheet = declared
        self.columns = Columns(seen, sheet.header)
        self.sample = row.get("sample")
        self.vcpus = job.vcpus
        self.memory_mib = job.memory_mib
        self.place = own(job, self.sample)
        self.inputs = Inputs(job, rows, pin(job, rows))
        self.due = due(
            job.fingerprint, {column: row[column] for column in job.columns if row}, self.inputs.found()
        )
        self.files: dict[str, dict[str, Any]] = {}  # what was published

    def fetch(self, *path: str) -> Path:
        """The input is on disk: fetch("picard", "r1.fq.gz").

        Raises: DataError when it does not exist; Failure when it was replaced since the child started, or is neither
        declared nor of a step that this one comes after.
        """
        return self.inputs.fetch("/".join(path))

    def fetch_all(self, path: str) -> dict[str, Path]:
        """In a step of the whole run: the file of every sample is on disk, at <room>/<sample>/<file>; by sample.

        Samples may lack what is declared optional. Raises: as fetch.
        """
        return self.inputs.fetch_all(path)

    def reference(self, name: str) -> Path:
        """The file of the reference is on disk. Raises: as fetch."""
        return self.fetch("reference", name)

    def has(self, *path: str) -> bool:
        """The input is there; one that is declared optional may not be."""
        return self.inputs.has("/".join(path))

    def has_reference(self, name: str) -> bool:
        """The reference has that file, which is declared optional."""
        return self.has("reference", name)

    def read_tail(self, path: str, length: int) -> bytes:
        """The input's last bytes, without fetching the rest. Raises: as fetch."""
        return self.inputs.read_tail(path, length)

    def run(self, program: str, *arguments: str | Path | int, log: str | None = None, **options: Any) -> None:
        """The tool ran in the scratch folder and exited with 0. Raises: ToolError."""
        tool.run(program, *arguments, log=log, **options)

    def publish(self, *files: str, at_least: int = 0) -> None:
        """The files are in the bucket. Raises: DataError when one is missing or has under `at_least` bytes."""
        for file in files:
            check_output(file, at_least)
        self._begin()
        for file in files:
            with Path(file).open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            stored = s3.upload(Path(file), self.place.of(file))
            self.files[file] = {"size": stored.size, "etag": stored.etag, "sha256": sha256}

    def marker_name(self, made: str) -> MarkerName:
        """What this child's marker is called when it has published what `made` is the digest of."""
        return MarkerName(self.job.step if self.job.scope == "reference" else None, self.due, made)

    def _begin(self) -> None:
        """No older marker vouches for what is being replaced; a reference tells that this step builds its files.

        An empty marker of the step's own says so, for without one they would pass for what the user brought.
        """
        self.place.retire()
        if self.job.scope == "reference" and not self.files:
            self.place.begin(self.marker_name("0" * MADE))

    def name(self, path: str) -> str:
        """The input as messages name it, with the sample's name in it."""
        return self.inputs.called(path)
