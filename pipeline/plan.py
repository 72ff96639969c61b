"""What a run has to do, and why: pure reasoning over the sheet and what is in the bucket.

A child's result stands while its success marker is there, its fingerprint is today's, every input that it read has
the ETag it had then, and every file that it published is still there. What runs again makes what comes after it run
again; the child itself then looks once more, and exits at once when its inputs turn out to be the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.layout import Layout
from pipeline.model import Per, Pipeline, Step
from pipeline.sheet import SampleSheet

Child = tuple[str | None, dict[str, str]]  # sample and its columns; (None, {}) for a step that runs once
Reasons = dict[str | None, str]  # sample (None for a step that runs once) → why it has to run


@dataclass(frozen=True)
class Inventory:
    """What is in the bucket: the ETag of every object of interest, and what each success marker says."""

    etags: Mapping[str, str]
    markers: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class StepPlan:
    """One step's share: which children have to run and why, and how many are done."""

    step: Step
    todo: Reasons
    done: int


@dataclass(frozen=True)
class Plan:
    """Every step's share, and the samples that at least one step has to run for (row i ↔ child i)."""

    sheet: SampleSheet
    work: SampleSheet
    steps: tuple[StepPlan, ...]

    @property
    def is_empty(self) -> bool:
        return not any(step.todo for step in self.steps)


def make_plan(
    pipeline: Pipeline,
    sheet: SampleSheet,
    *,
    layout: Layout,
    inventory: Inventory,
    fingerprints: Mapping[str, str],
) -> Plan:
    """What has to run so that every step's result stands for every sample."""
    cohort = sheet.digest()
    todo: dict[str, Reasons] = {}
    steps = []
    for step in pipeline.steps:
        children: list[Child] = sheet.children() if step.per == Per.SAMPLE else [(None, {})]
        reasons: Reasons = {}
        for sample, columns in children:
            marker = layout.marker(step, cohort, sample)
            due = {"fingerprint": fingerprints[step.name], "columns": columns}
            reason = _own_reason(step, layout, inventory, marker, due) or _reason_upstream(step, sample, todo)
            if reason:
                reasons[sample] = reason
        todo[step.name] = reasons
        steps.append(StepPlan(step, reasons, len(children) - len(reasons)))
    unfinished = {sample for reasons in todo.values() for sample in reasons if sample is not None}
    return Plan(sheet, sheet.subset(unfinished), tuple(steps))


def _own_reason(
    step: Step, layout: Layout, inventory: Inventory, marker_key: str, due: Mapping[str, Any]
) -> str | None:
    """Why a child's own result does not stand, given what its marker is due to say; None when it stands."""
    if marker_key not in inventory.etags:
        return None if _was_brought(step, layout, inventory) else "new"
    marker = inventory.markers.get(marker_key, {})
    if marker.get("fingerprint") != due["fingerprint"]:
        return "its script, image or parameters changed"
    if marker.get("columns") != due["columns"]:
        return "its columns in the sheet changed"
    for url, etag in marker.get("inputs", {}).items():
        bucket, _, key = url.removeprefix("s3://").partition("/")
        if bucket == layout.bucket and inventory.etags.get(key) != etag:
            return f"{key} changed" if key in inventory.etags else f"{key} is gone"
    folder = marker_key.rpartition("/")[0]
    for name, file in marker.get("files", {}).items():
        if inventory.etags.get(f"{folder}/{name}") != file.get("etag"):
            return f"{folder}/{name} changed or is gone"
    return None


def _was_brought(step: Step, layout: Layout, inventory: Inventory) -> bool:
    """Whether what a step per reference would build is there already, put there by the user."""
    return (
        step.per == Per.REFERENCE
        and bool(step.outputs)
        and all(f"{layout.reference_prefix}/{name}" in inventory.etags for name in step.outputs)
    )


def _reason_upstream(step: Step, sample: str | None, todo: Mapping[str, Reasons]) -> str | None:
    for upstream in step.after:
        reasons = todo[upstream.name]
        if (sample in reasons) if step.per == upstream.per == Per.SAMPLE else reasons:
            return f"{upstream.name} runs again"
    return None
