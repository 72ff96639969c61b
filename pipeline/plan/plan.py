"""What a run has to do, and why: pure reasoning over the sheet and what is in the bucket.

A child's result stands while its folder holds a marker of what is due today, and the files that the marker vouches
for. What runs again makes what comes after it run again; the child itself then looks once more, and exits at once
when its inputs turn out to be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.model.layout import Layout
from pipeline.model.pipeline import Per, Pipeline, Step
from pipeline.model.sheet import SampleSheet
from steps.library.contract import (
    Files,
    Folder,
    Found,
    Input,
    Marker,
    MarkerName,
    Upstream,
    difference,
    due,
    inputs_of_run,
    made,
    on_disk,
    parse_marker,
)

Child = str | None  # a sample; None for a step that runs once
Reasons = dict[Child, str]  # why a child has to run
Listing = Sequence[tuple[str, Found]]
Read = Callable[[Sequence[str]], Mapping[str, Marker]]


@dataclass(frozen=True)
class Inventory:
    """What is in the bucket: outside objects by key, the reference's by name, and each child's folder by step."""

    outside: Mapping[str, Found] = field(default_factory=dict)
    reference: Listing = ()
    folders: Mapping[str, Mapping[Child, Listing]] = field(default_factory=dict)


@dataclass(frozen=True)
class StepPlan:
    """One step's share: which children have to run and why, how many are done, how many an open run has."""

    step: Step
    todo: Reasons
    done: int
    held: int = 0


@dataclass(frozen=True)
class Plan:
    """Every step's share, and the samples that at least one step has to run for (row i ↔ child i)."""

    sheet: SampleSheet
    work: SampleSheet
    steps: tuple[StepPlan, ...]

    @property
    def is_empty(self) -> bool:
        return not any(share.todo for share in self.steps)


def make_plan(
    pipeline: Pipeline,
    sheet: SampleSheet,
    *,
    layout: Layout,
    inventory: Inventory,
    versions: Mapping[str, Version],
    read: Read,
) -> Plan:
    """What has to run so that every step's result stands for every sample.

    `versions` are by step; `read` fetches markers, of folders that hold more or less than their markers' names say.
    """
    planner = _Planner(sheet, layout, inventory, versions, read)
    shares = tuple(planner.share(step) for step in pipeline.steps)
    return Plan(sheet, _work(sheet, shares), shares)


@dataclass(frozen=True)
class Version:
    """A step as it is today: its fingerprint, and whether its script drives its child through the steps library."""

    fingerprint: str
    drives_its_child: bool = False


def upstreams(step: Step, version: Version) -> dict[str, tuple[Step, bool]]:
    """The steps that its children read from, and whether all that each published counts.

    What lies beside the reference is declared by its own path. A program that declares nothing of a step only waits
    for it; a script over the library may fetch anything of it, so all of it counts.
    """
    declared = {one.room for one in step.declared}
    return {
        upstream.name: (upstream, upstream.name not in declared)
        for upstream in step.after
        if upstream.per != Per.REFERENCE and (upstream.name in declared or version.drives_its_child)
    }


class _Planner:
    def __init__(
        self,
        sheet: SampleSheet,
        layout: Layout,
        inventory: Inventory,
        versions: Mapping[str, Version],
        read: Read,
    ) -> None:
        self._sheet, self._layout, self._inventory = sheet, layout, inventory
        self._versions, self._read = versions, read
        self._todo: dict[str, Reasons] = {}
        self._published: dict[str, dict[Child, Files]] = {}

    def share(self, step: Step) -> StepPlan:
        """The step's share; those it comes after had theirs before."""
        children: list[tuple[Child, Sequence[str]]] = [(None, ())]
        if step.per == Per.SAMPLE:
            children = [(row[0], row) for row in self._sheet.rows]
        reasons: Reasons = {}
        published: dict[Child, Files] = {}
        unsure: dict[Child, tuple[Folder, list[MarkerName]]] = {}
        for child, row in children:
            reason = self._upstream_reason(step, child)
            if reason:
                reasons[child] = reason
                continue
            folder = self._folder(step, child)
            wanted = self._due(step, child, row)
            markers = folder.due_now(wanted)
            if not markers:
                if not self._was_brought(step, folder):
                    reasons[child] = _why_not(folder, wanted)
            elif any(marker.made == made(folder.files) for marker in markers):
                published[child] = folder.files
            else:
                unsure[child] = folder, markers
        self._look_closer(step, unsure, reasons, published)
        self._todo[step.name], self._published[step.name] = reasons, published
        return StepPlan(step, reasons, len(children) - len(reasons))

    def _look_closer(
        self,
        step: Step,
        unsure: Mapping[Child, tuple[Folder, list[MarkerName]]],
        reasons: Reasons,
        published: dict[Child, Files],
    ) -> None:
        """Folders that hold more or less than a marker's name says are judged by what the marker itself says."""
        keys = {
            (child, marker): f"{self._place(step, child)}/{marker}"
            for child, (_, markers) in unsure.items()
            for marker in markers
        }
        contents = self._read(list(keys.values()))
        for child, (folder, markers) in unsure.items():
            found = (
                folder.published(marker, lambda one, child=child: contents.get(keys[child, one]))  # type: ignore[misc]
                for marker in markers
            )
            files = next((one for one in found if one is not None), None)
            if files is None:
                reasons[child] = "what it published changed or is gone"
            else:
                published[child] = files

    def _upstream_reason(self, step: Step, child: Child) -> str | None:
        for upstream in step.after:
            reasons = self._todo[upstream.name]
            if (child in reasons) if step.per == upstream.per == Per.SAMPLE else reasons:
                return f"{upstream.name} runs again"
        return None

    def _place(self, step: Step, child: Child) -> str:
        cohort = self._sheet.cohort(step.used_columns) if step.per == Per.RUN else ""
        return self._layout.place(step, cohort, child)

    def _folder(self, step: Step, child: Child) -> Folder:
        if step.per == Per.REFERENCE:
            return Folder.of(self._inventory.reference, step.name)
        return Folder.of(self._inventory.folders.get(step.name, {}).get(child, ()))

    def _was_brought(self, step: Step, folder: Folder) -> bool:
        """Whether what a step per reference would build is there already, put there by the user."""
        if step.per != Per.REFERENCE or not step.outputs:
            return False
        markers = (parse_marker(name) for name, _ in self._inventory.reference)
        was_begun = any(marker and marker.step == step.name for marker in markers)  # a retired one counts
        return not was_begun and all(name in folder.files for name in step.outputs)

    def _due(self, step: Step, child: Child, row: Sequence[str]) -> str:
        version = self._versions[step.name]
        if step.per == Per.RUN:
            return due(version.fingerprint, {}, dict(self._inputs_of_run(step, version)))
        columns = self._sheet.values(row, step.used_columns) if row else {}
        return due(version.fingerprint, columns, dict(self._inputs(step, version, child, row)))

    def _inputs(
        self, step: Step, version: Version, child: Child, row: Sequence[str]
    ) -> Iterable[tuple[str, Found]]:
        """The inputs of one child, by their names on disk; those that are not there are left out."""
        wholes = upstreams(step, version)
        for one in step.declared:
            if found := self._find(one, child, row, wholes):
                yield on_disk(one.path), found
        for name, (_, is_whole) in wholes.items():
            for file, found in self._files_of(name, child).items() if is_whole else ():
                yield f"{name}/{file}", found

    def _inputs_of_run(self, step: Step, version: Version) -> Iterable[tuple[str, Found]]:
        """The inputs of a step of the whole run: every sample's below a folder of its name."""
        wholes = upstreams(step, version)
        after = {name: Upstream(str(upstream.per), "", "") for name, (upstream, _) in wholes.items()}
        for one, is_of_each in inputs_of_run(step.declared, after):
            for row in self._sheet.rows if is_of_each else [()]:
                if found := self._find(one, row[0] if row else None, row, wholes):
                    yield "/".join([one.room, *row[:1], on_disk(one.name)]), found
        for name, (upstream, is_whole) in wholes.items():
            if is_whole and upstream.per == Per.RUN:
                yield from ((f"{name}/{file}", found) for file, found in self._files_of(name, None).items())
            elif is_whole:
                for sample in self._sheet.samples:
                    for file, found in self._files_of(name, sample).items():
                        yield f"{name}/{sample}/{file}", found

    def _find(self, one: Input, child: Child, row: Sequence[str], wholes: Collection[str]) -> Found | None:
        """A declared input as it stands for a child; None where it is not there."""
        if one.room in wholes:
            return self._files_of(one.room, child).get(self._fill(one.name, row))
        return self._inventory.outside.get(self._fill(self._layout.source(one.path), row))

    def _fill(self, template: str, row: Sequence[str]) -> str:
        return self._sheet.fill(template, row) if row else template

    def _files_of(self, name: str, child: Child) -> Files:
        """What stands of a step for a child, or of the step of the whole run that it reads."""
        published = self._published[name]
        return published.get(child) or published.get(None) or {}


def _why_not(folder: Folder, wanted: str) -> str:
    return difference(folder.markers[-1].due, wanted) if folder.markers else "new"


def _work(sheet: SampleSheet, shares: Iterable[StepPlan]) -> SampleSheet:
    return sheet.subset(sample for share in shares for sample in share.todo if sample is not None)


def without(plan: Plan, samples: set[str], once: Collection[str]) -> Plan:
    """The part of a plan that needs nothing of these samples, and of these steps that run once, which a run has.

    A step of the whole run is left out where any child before it is.
    """
    left_out: dict[str, set[Child]] = {}
    shares = []
    for share in plan.steps:
        step = share.step
        if step.per == Per.SAMPLE:
            waits_for_one = any(None in left_out[upstream.name] for upstream in step.after)
            out = {child for child in share.todo if waits_for_one or child in samples}
        else:
            is_after_held = any(left_out[upstream.name] for upstream in step.after)
            is_over_held = step.per == Per.RUN and not samples.isdisjoint(plan.sheet.samples)
            must_wait = step.name in once or is_after_held or is_over_held
            out = set(share.todo) if must_wait else set()
        left_out[step.name] = out
        todo = {child: why for child, why in share.todo.items() if child not in out}
        shares.append(StepPlan(step, todo, share.done, len(out)))
    return Plan(plan.sheet, _work(plan.sheet, shares), tuple(shares))
