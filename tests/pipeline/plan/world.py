"""A bucket, a sheet and a pipeline in memory, where a plan can be run: a child publishes a digest of what it read.

Children here follow the written contract (docs/design.md, 5a) by themselves: they share no code with the plan but
the names and digests of steps/library/contract.py.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline import Pipeline, Step
from pipeline.model.pipeline import Per
from pipeline.model.sheet import SampleSheet
from pipeline.plan.code import StepCode
from pipeline.plan.fingerprint import fingerprint
from pipeline.plan.plan import Child, Inventory, Listing, Plan, Version, make_plan
from pipeline.plan.scripts import Script
from steps.library.contract import Folder, Found, Input, Marker, MarkerName, due, fill, made, on_disk
from tests.pipeline.examples import LAYOUT

EXTRA = "extra.txt"  # what a script over the library publishes beside what it declares
Files = Mapping[str, bytes]
ChildOf = tuple[str, Child]  # a step's name, and which of its children


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).hexdigest().encode()


def found(files: Files) -> dict[str, Found]:
    """The files as a listing tells of them."""
    return {name: Found(digest(body).decode(), len(body)) for name, body in files.items()}


@dataclass(frozen=True)
class Written:
    """A step as its author wrote it; `text` stands for its script. A flat one publishes the same whatever it reads."""

    step: Step
    text: str
    drives: bool = False
    is_flat: bool = False

    @property
    def version(self) -> Version:
        code = StepCode((), Script("s.py"), {"s.py": digest(self.text, self.is_flat, self.drives).decode()})
        return Version(fingerprint(self.step, code, "image"), self.drives)

    def make(self, inputs: Files, columns: Mapping[str, str]) -> Files:
        """What it publishes of that."""
        names = [*self.step.outputs, *([EXTRA] if self.drives else [])]
        of = () if self.is_flat else (self.version, sorted(inputs.items()), sorted(columns.items()))
        return {name: digest(self.step.name, name, *of) for name in names}


@dataclass
class World:
    """What there is, and what follows from it."""

    steps: dict[str, Written]
    sheet: SampleSheet
    bucket: dict[str, bytes] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def children(self) -> Iterator[tuple[Written, Child]]:
        """Every child of every step, those that it reads from first."""
        for one in self.steps.values():
            for child in self.sheet.samples if one.step.per == Per.SAMPLE else [None]:
                yield one, child

    def place(self, one: Written, child: Child) -> str:
        cohort = self.sheet.cohort(one.step.used_columns) if one.step.per == Per.RUN else ""
        return LAYOUT.place(one.step, cohort, child)

    def columns(self, one: Written, child: Child) -> dict[str, str]:
        """The columns that a child sees."""
        return {column: self._row(child)[column] for column in one.step.used_columns} if child else {}

    def _row(self, sample: Child) -> dict[str, str]:
        [row] = [row for row in self.sheet.rows if row[0] == sample]
        return dict(zip(self.sheet.columns, row, strict=True))

    def plan(self) -> Plan:
        """The plan of what listings show, in any order."""
        folders: dict[str, dict[Child, Listing]] = {}
        for one, child in self.children():
            folders.setdefault(one.step.name, {})[child] = self._listing(self.place(one, child))
        reference = self._listing(LAYOUT.reference_prefix)
        outside = {f"{LAYOUT.reference_prefix}/{name}": told for name, told in reference}
        outside |= {f"input/{name}": told for name, told in self._listing("input")}
        return make_plan(
            Pipeline("toy", [one.step for one in self.steps.values()]),
            self.sheet,
            layout=LAYOUT,
            inventory=Inventory(outside, reference, folders),
            versions={name: one.version for name, one in self.steps.items()},
            read=lambda keys: {key: json.loads(self.bucket[key]) for key in keys},
        )

    def run(self, plan: Plan) -> set[ChildOf]:
        """The plan's children ran in the pipeline's order; those that did not exit at once are returned."""
        planned = {(share.step.name, child) for share in plan.steps for child in share.todo}
        return {
            (one.step.name, child)
            for one, child in self.children()
            if (one.step.name, child) in planned and self._run_child(one, child)
        }

    def _run_child(self, one: Written, child: Child) -> bool:
        """Its result stands; whether it did anything for that."""
        place, beside = self.place(one, child), one.step.name if one.step.per == Per.REFERENCE else None
        folder = Folder.of(self._listing(place), beside)
        inputs, columns = self.inputs(one, child, self._published), self.columns(one, child)
        now = due(one.version.fingerprint, columns, found(inputs))
        if any(folder.published(marker, self._reader(place)) is not None for marker in folder.due_now(now)):
            return False
        for marker in folder.markers:
            self.bucket[f"{place}/{marker}"] = b""
        files = one.make(inputs, columns)
        told = {name: each._asdict() for name, each in found(files).items()}
        self.bucket |= {f"{place}/{name}": body for name, body in files.items()}
        self.bucket[f"{place}/{MarkerName(beside, now, made(found(files)))}"] = json.dumps(
            {"files": told}
        ).encode()
        return True

    def from_scratch(self, one: Written, child: Child) -> tuple[bytes, Files]:
        """What a child depends on and what it publishes, had nothing ever been run."""
        inputs = self.inputs(one, child, lambda upstream, of: self.from_scratch(upstream, of)[1])
        columns = self.columns(one, child)
        reason = digest(one.version, sorted(inputs.items()), sorted(columns.items()))
        return reason, one.make(inputs, columns)

    def inputs(self, one: Written, child: Child, published: Callable[[Written, Child], Files]) -> Files:
        """What a child reads, by its names on disk; `published` says what a child before it left."""
        return dict(self._each_input(one, child, published))

    def _each_input(
        self, one: Written, child: Child, published: Callable[[Written, Child], Files]
    ) -> Iterator[tuple[str, bytes]]:
        samples = self.sheet.samples if one.step.per == Per.RUN else [child]
        after = {step.name: self.steps[step.name] for step in one.step.after if step.per != Per.REFERENCE}
        for declared in one.step.declared:
            upstream = after.get(declared.room)
            of_each = one.step.per == Per.RUN and (
                upstream.step.per == Per.SAMPLE if upstream else "{" in declared.path
            )
            for sample in samples if of_each else [child]:
                body = self._body(declared, sample, upstream, published)
                if body is not None:
                    folder = f"{declared.room}/{sample}/" if of_each else f"{declared.room}/"
                    yield folder + on_disk(declared.name), body
        declared_rooms = {declared.room for declared in one.step.declared}
        for name, upstream in after.items() if one.drives else ():
            of_each = one.step.per == Per.RUN and upstream.step.per == Per.SAMPLE
            for sample in [] if name in declared_rooms else samples if of_each else [child]:
                for file, body in published(upstream, self._child_of(upstream, sample)).items():
                    yield (f"{name}/{sample}/{file}" if of_each else f"{name}/{file}"), body

    def _body(
        self,
        declared: Input,
        sample: Child,
        upstream: Written | None,
        published: Callable[[Written, Child], Files],
    ) -> bytes | None:
        path = fill(declared.path, self._row(sample)) if sample else declared.path
        name = path.partition("/")[2]
        if upstream:
            return published(upstream, self._child_of(upstream, sample)).get(name)
        if declared.room == "input":
            return self.bucket.get(f"input/{name}")
        for maker in self.steps.values():
            if maker.step.per == Per.REFERENCE and name in maker.step.outputs:
                return self._reference(maker, name, published)
        return self.bucket.get(f"{LAYOUT.reference_prefix}/{name}")

    def _reference(
        self, maker: Written, name: str, published: Callable[[Written, Child], Files]
    ) -> bytes | None:
        return published(maker, None).get(name)

    def _child_of(self, upstream: Written, sample: Child) -> Child:
        return sample if upstream.step.per == Per.SAMPLE else None

    def _published(self, upstream: Written, child: Child) -> Files:
        """What the one whole result of a child vouches for."""
        place = self.place(upstream, child)
        beside = upstream.step.name if upstream.step.per == Per.REFERENCE else None
        folder = Folder.of(self._listing(place), beside)
        wholes = [
            files
            for marker in folder.made_by(upstream.version.fingerprint)
            if (files := folder.published(marker, self._reader(place))) is not None
        ]
        [files] = wholes
        return {name: self.bucket[f"{place}/{name}"] for name in files}

    def _reader(self, place: str) -> Callable[[MarkerName], Marker]:
        return lambda marker: json.loads(self.bucket[f"{place}/{marker}"])

    def _listing(self, prefix: str) -> list[tuple[str, Found]]:
        below = {
            key.removeprefix(f"{prefix}/"): body
            for key, body in self.bucket.items()
            if key.startswith(f"{prefix}/")
        }
        there = [(name, Found(told.etag, told.size)) for name, told in found(below).items()]
        self.chance.shuffle(there)
        return there
