"""What the client says to a child, and where that puts its files: the environment, read once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

COLUMN = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Job:
    """One child's environment. The URLs have no slash at the end; `row` counts from 0 below the sheet's header."""

    run: str
    step: str
    scope: str  # sample | run | reference
    sheet: str
    row: int
    input: str
    reference: str
    results: str
    output: str
    once: Mapping[str, str]  # step of the whole run ↔ the URL under which it published
    fingerprint: str
    vcpus: int
    memory_mib: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    job_id: str
    attempt: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Job:
        """The job that these variables describe. Raises: KeyError naming the one that is missing."""

        def told(name: str) -> str:
            return environment[f"PIPELINE_{name}"]

        return cls(
            run=told("RUN"),
            step=told("STEP"),
            scope=told("SCOPE"),
            sheet=told("SHEET"),
            row=int(told("FIRST_ROW")) + int(environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0")),
            input=told("INPUT"),
            reference=told("REFERENCE"),
            results=told("RESULTS"),
            output=told("OUTPUT"),
            once=json.loads(told("ONCE")),
            fingerprint=told("FINGERPRINT"),
            vcpus=int(told("VCPUS")),
            memory_mib=int(told("MEMORY_MIB")),
            inputs=tuple(json.loads(told("INPUTS"))),
            outputs=tuple(json.loads(told("OUTPUTS"))),
            job_id=environment.get("AWS_BATCH_JOB_ID", ""),
            attempt=int(environment.get("AWS_BATCH_JOB_ATTEMPT", "1")),
        )

    def place(self, sample: str | None) -> str:
        """The URL under which this child publishes."""
        return f"{self.output}/{sample}" if sample else self.output

    def marker(self, sample: str | None) -> str:
        """The URL of this child's success marker."""
        name = f"_SUCCESS.{self.step}.json" if self.scope == "reference" else "_SUCCESS.json"
        return f"{self.place(sample)}/{name}"

    def source(self, path: str, columns: Mapping[str, str]) -> str:
        """The URL of an input as a step names it: input/…, reference/…, or <step>/<file>, of this sample or of all."""
        room, _, name = path.partition("/")
        name = fill(name, columns)
        if room == "input":
            return f"{self.input}/{name}"
        if room == "reference":
            return f"{self.reference}/{name}"
        if room in self.once:
            return f"{self.once[room]}/{name}"
        return f"{self.results}/{room}/{columns['sample']}/{name}"

    def folder(self, url: str) -> str:
        """The URL of the folder whose LIST tells of this object and of every other sample's."""
        for folder in (self.input, self.reference):
            if url.startswith(f"{folder}/"):
                return folder
        step = url.removeprefix(f"{self.results}/").partition("/")[0]
        return f"{self.results}/{step}"


def fill(template: str, columns: Mapping[str, str]) -> str:
    """The template with each {column} replaced by the sample's value, once."""
    return COLUMN.sub(lambda found: columns.get(found[1], found[0]), template)


def on_disk(template: str) -> str:
    """The template as a file's name: {sample}.bam is sample.bam, whatever the sample is called."""
    return COLUMN.sub(r"\1", template)
