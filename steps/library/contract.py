"""What the client and a child agree upon: variables, places, and the names of markers.

The one module of the container's side that the client imports too, so that both compute the same thing. Nothing here
reads a file, an environment or a network.

A child's marker is called `_SUCCESS.<due>.<made>.json`. `due` tells what the result depends on and `made` what was
published, so a LIST of the folder answers whether the result stands: no object is read. An empty object of such a
name is a marker that was retired.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LIBRARY = 1  # raised when a change of this library makes other results of the same inputs
ROWS_A_CHUNK = 1000
COLUMN = re.compile(r"\{([^{}]+)\}")
PROGRAM, COLUMNS, INPUTS, MADE = 12, 8, 20, 16  # hex digits of each part of a marker's name
MARKER = re.compile(
    rf"_SUCCESS(?:\.(?P<step>[a-z][a-z0-9_-]*))?\.(?P<due>[0-9a-f]{{{PROGRAM + COLUMNS + INPUTS}}})"
    rf"\.(?P<made>[0-9a-f]{{{MADE}}})\.json"
)


class Found(NamedTuple):
    """An object as a listing tells of it; the ETag is without its quotes, the size in bytes."""

    etag: str
    size: int


Files = Mapping[str, Found]  # by name below a folder
Marker = Mapping[str, Any]  # what a marker says


@dataclass(frozen=True)
class Input:
    """One declared input: "input/{sample}.bam", "reference/genes.gtf" or "<step>/<file>"; if optional, maybe absent."""

    path: str
    is_optional: bool = False

    @property
    def room(self) -> str:
        """`input`, `reference`, or the step that publishes it."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """What follows the room."""
        return self.path.partition("/")[2]

    @property
    def columns(self) -> list[str]:
        """The sheet's columns that it names, but for `sample`."""
        return [column for column in COLUMN.findall(self.path) if column != "sample"]


@dataclass(frozen=True)
class Upstream:
    """A step that a child's step comes after: how often it runs, where it publishes, and its fingerprint."""

    scope: str  # sample | run | reference
    output: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a child is told, as variables of its environment. URLs have no slash at the end.

    `rows` is the folder of the pinned chunks of rows (a step per sample) or the pinned sheet (a step of the run);
    `row` counts from 0 over all chunks. `output` is where the step publishes; a step per sample adds the sample.
    """

    run: str
    step: str
    scope: str  # sample | run | reference
    rows: str
    row: int
    input: str
    reference: str
    output: str
    after: Mapping[str, Upstream]
    fingerprint: str
    columns: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    vcpus: int
    memory_mib: int
    job_id: str = ""
    attempt: int = 1

    def to_environment(self) -> dict[str, str]:
        """The variables that the client sets; Batch itself adds the child's index, the job's id and the attempt."""
        return {
            "PIPELINE_RUN": self.run,
            "PIPELINE_STEP": self.step,
            "PIPELINE_SCOPE": self.scope,
            "PIPELINE_ROWS": self.rows,
            "PIPELINE_FIRST_ROW": str(self.row),
            "PIPELINE_INPUT": self.input,
            "PIPELINE_REFERENCE": self.reference,
            "PIPELINE_OUTPUT": self.output,
            "PIPELINE_AFTER": json.dumps(
                {name: [up.scope, up.output, up.fingerprint] for name, up in self.after.items()}
            ),
            "PIPELINE_FINGERPRINT": self.fingerprint,
            "PIPELINE_COLUMNS": json.dumps(self.columns, ensure_ascii=False),
            "PIPELINE_INPUTS": json.dumps(
                [[one.path, "optional"] if one.is_optional else one.path for one in self.inputs],
                ensure_ascii=False,
            ),
            "PIPELINE_OUTPUTS": json.dumps(self.outputs, ensure_ascii=False),
            "PIPELINE_VCPUS": str(self.vcpus),
            "PIPELINE_MEMORY_MIB": str(self.memory_mib),
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Job:
        """The job that these variables describe. Raises: KeyError naming the one that is missing."""

        def told(name: str) -> str:
            return environment[f"PIPELINE_{name}"]

        return cls(
            run=told("RUN"),
            step=told("STEP"),
            scope=told("SCOPE"),
            rows=told("ROWS"),
            row=int(told("FIRST_ROW")) + int(environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0")),
            input=told("INPUT"),
            reference=told("REFERENCE"),
            output=told("OUTPUT"),
            after={name: Upstream(*parts) for name, parts in json.loads(told("AFTER")).items()},
            fingerprint=told("FINGERPRINT"),
            columns=tuple(json.loads(told("COLUMNS"))),
            inputs=tuple(
                Input(one) if isinstance(one, str) else Input(one[0], is_optional=True)
                for one in json.loads(told("INPUTS"))
            ),
            outputs=tuple(json.loads(told("OUTPUTS"))),
            vcpus=int(told("VCPUS")),
            memory_mib=int(told("MEMORY_MIB")),
            job_id=environment.get("AWS_BATCH_JOB_ID", ""),
            attempt=int(environment.get("AWS_BATCH_JOB_ATTEMPT", "1")),
        )


class MarkerName(NamedTuple):
    """The parts of a marker's name; `step` is None but beside a reference, where several steps publish."""

    step: str | None
    due: str
    made: str

    def __str__(self) -> str:
        return ".".join(filter(None, ["_SUCCESS", self.step, self.due, self.made, "json"]))


def parse_marker(name: str) -> MarkerName | None:
    """The parts of a marker's name; None where the name is not a marker's."""
    found = MARKER.fullmatch(name)
    return MarkerName(found["step"], found["due"], found["made"]) if found else None


def chunk_name(number: int) -> str:
    """The name of a chunk of a thousand rows."""
    return f"{number:05d}.tsv"


def fill(template: str, columns: Mapping[str, str]) -> str:
    """The template with each {column} replaced by the sample's value, once."""
    return COLUMN.sub(lambda found: columns.get(found[1], found[0]), template)


def on_disk(template: str) -> str:
    """The template as a file's name: {sample}.bam is sample.bam, whatever the sample is called."""
    return COLUMN.sub(r"\1", template)


def due(fingerprint: str, columns: Mapping[str, str], inputs: Files) -> str:
    """The digest of all that a result depends on.

    `columns` are the values of the columns that the step uses; `inputs` are its inputs by their names on disk.
    It is in three parts, so that two digests tell what differs: see `difference`.
    """
    return program(fingerprint) + _digest(dict(columns), COLUMNS) + _digest(_plain(inputs), INPUTS)


def program(fingerprint: str) -> str:
    """The first part of a due digest: which version of its step made a result."""
    return _digest(fingerprint, PROGRAM)


def difference(old: str, new: str) -> str:
    """Why a result that was due as `old` is not what is due as `new`, in words."""
    if old[:PROGRAM] != new[:PROGRAM]:
        return "its script, image or parameters changed"
    if old[PROGRAM : PROGRAM + COLUMNS] != new[PROGRAM : PROGRAM + COLUMNS]:
        return "its columns in the sheet changed"
    return "its inputs changed"


def made(files: Files) -> str:
    """The digest of what was published."""
    return _digest(_plain(files), MADE)


def _plain(files: Files) -> list[list[str | int]]:
    return [[name, *found] for name, found in sorted(files.items())]


def _digest(value: object, digits: int) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


@dataclass(frozen=True)
class Folder:
    """What a listing shows of a folder in which a child publishes: its files, and the markers that are not retired."""

    files: Files
    markers: tuple[MarkerName, ...]

    @classmethod
    def of(cls, listing: Iterable[tuple[str, Found]], step: str | None = None) -> Folder:
        """The folder of these names; beside a reference, `step` says whose markers count."""
        files, markers = {}, []
        for name, found in listing:
            marker = parse_marker(name)
            if marker is None:
                files[name] = found
            elif found.size and marker.step == step:
                markers.append(marker)
        return cls(files, tuple(markers))

    def due_now(self, wanted: str) -> list[MarkerName]:
        """The markers of exactly this due digest."""
        return [marker for marker in self.markers if marker.due == wanted]

    def made_by(self, fingerprint: str) -> list[MarkerName]:
        """The markers that this version of the step left."""
        return [marker for marker in self.markers if marker.due.startswith(program(fingerprint))]

    def published(self, marker: MarkerName, read: Callable[[MarkerName], Marker | None]) -> Files | None:
        """The files that the marker vouches for, all of them there as it left them; None when they are not.

        The marker is read only where the folder holds more or less than it says.
        """
        if marker.made == made(self.files):
            return self.files
        told = read(marker)
        if told is None:
            return None
        named = files_of(told)
        return named if all(self.files.get(name) == found for name, found in named.items()) else None


def files_of(marker: Marker) -> Files:
    """The files that a marker names."""
    return {name: Found(file["etag"], file["size"]) for name, file in marker.get("files", {}).items()}


def inputs_of_run(inputs: Sequence[Input], after: Mapping[str, Upstream]) -> Iterator[tuple[Input, bool]]:
    """Each declared input of a step of the whole run, and whether there is one of every sample."""
    for one in inputs:
        upstream = after.get(one.room)
        yield one, upstream.scope == "sample" if upstream else COLUMN.search(one.path) is not None
