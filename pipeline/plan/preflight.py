"""What would go wrong, found before anything is written or spent."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from pipeline.errors import InputError, Problem
from pipeline.model.layout import Layout
from pipeline.model.pipeline import Pipeline, Step
from pipeline.model.sheet import SampleSheet
from pipeline.plan.plan import Inventory
from steps.library.contract import Input

SHOWN = 10


def check_bucket(bucket: Bucket, cloud: Cloud) -> None:
    """The bucket is there. Raises: InputError."""
    if not bucket.exists():
        copy = "python main.py local upload FOLDER" if cloud.is_local else "aws s3 mb"
        raise InputError(
            Problem(
                f"the bucket {bucket.name!r} does not exist",
                cloud.where,
                f"create it: {copy} s3://{bucket.name}",
            )
        )


def missing_inputs(
    pipeline: Pipeline, sheet: SampleSheet, layout: Layout, inventory: Inventory
) -> Iterator[Problem]:
    """A problem for each input template of which an object is absent, and for each column that names none.

    An optional input is required of the samples that fill its cells: there, only an empty cell means none.
    """
    for step, one in dict.fromkeys(pipeline.outside_inputs()):
        if not one.is_optional:
            yield from _empty_cells(step, one, sheet)
        if not one.is_optional or one.columns:
            filled = [row for row in sheet.rows if all(sheet.values(row, one.columns).values())]
            wanted = dict.fromkeys(sheet.fill(layout.source(one.path), row) for row in filled)
            missing = [key for key in wanted if key not in inventory.outside]
            if missing:
                yield _missing(step, one, layout, len(wanted), missing)


def _empty_cells(step: Step, one: Input, sheet: SampleSheet) -> Iterator[Problem]:
    """A problem for each column of a required input that is empty for some sample."""
    for column in dict.fromkeys(one.columns):
        names = [row[0] for row in sheet.rows if not sheet.values(row, [column])[column]]
        if names:
            who = _first(map(repr, names), len(names))
            one_alone = f"sample {who} names no {column}: its cell is empty"
            several = f"samples {who} name no {column}: their cells are empty"
            yield Problem(
                one_alone if len(names) == 1 else several,
                f"step {step.name!r}, input {one.path!r}",
                f"fill the column {column!r} of the sample sheet, or, if a sample may have none, "
                f"declare optional({one.path!r})",
            )


def _missing(step: Step, one: Input, layout: Layout, wanted: int, missing: Sequence[str]) -> Problem:
    names = _first((key.rpartition("/")[2] for key in missing), len(missing))
    folder = missing[0].rpartition("/")[0]
    empty = ", or empty the cells of samples that have none" if one.is_optional else ""
    return Problem(
        f"step {step.name!r} needs {wanted} objects like {one.path}, and {len(missing)} are not there",
        f"s3://{layout.bucket}/{folder}/: {names}",
        f"upload them, or correct the sample list, --input-prefix or --reference{empty}",
    )


def _first(names: Iterable[str], count: int) -> str:
    """The first of so many names, and how many more there are."""
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return ", ".join(itertools.islice(names, SHOWN)) + more


def no_queue(name: str) -> Problem:
    """There is no such queue."""
    return Problem(
        f"there is no job queue {name!r}", "--queue", "give the name of a queue of this account and region"
    )


def queue_problems(
    pipeline: Pipeline,
    queue: Mapping[str, Any],
    environments: Sequence[Mapping[str, Any]],
    memory_mib: int | None,
) -> Iterator[Problem]:
    """Why the queue would never run some step: AWS itself says nothing and leaves such a job RUNNABLE for ever.

    `memory_mib` is that of its largest machine, where it is known.
    """
    name = queue["jobQueueName"]
    if queue["state"] != "ENABLED" or queue["status"] != "VALID":
        yield Problem(
            f"the queue takes no jobs: it is {queue['state']} and {queue['status']}",
            f"job queue {name!r}",
            "enable it, or see its compute environments",
        )
    vcpus = max((_max_vcpus(found) for found in environments), default=0)
    for step in pipeline.steps:
        if step.vcpus > vcpus:
            yield _too_big(step, f"{step.vcpus} vCPUs", f"the queue's machines have {vcpus}", name)
        if memory_mib and step.memory_mib > memory_mib:
            yield _too_big(
                step, f"{step.memory_mib} MiB", f"the queue's largest machine has {memory_mib}", name
            )


def mount_problems(pipeline: Pipeline, as_processes: Collection[str]) -> Iterator[Problem]:
    """A problem for each step that mounts buckets, and whose image would run as a process of this machine."""
    for step in pipeline.steps:
        if step.mounts and step.image in as_processes:
            yield Problem(
                f"step {step.name!r} mounts {', '.join(step.mounts)}, and nothing mounts here: "
                "its jobs run as processes of this machine, not in containers",
                "--queue local",
                f"build its image (python main.py images build {step.image}) and start the endpoint with "
                "--runner auto, or declare inputs=[…] and outputs=[…] in place of mounts",
            )


def _max_vcpus(environment: Mapping[str, Any]) -> int:
    return int(environment.get("computeResources", {}).get("maxvCpus", 0))


def _too_big(step: Step, asked: str, there_is: str, queue: str) -> Problem:
    return Problem(
        f"step {step.name!r} asks for {asked}, and {there_is}",
        f"job queue {queue!r}",
        "let the step ask for less, or name a queue with larger machines",
    )
