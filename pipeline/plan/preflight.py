"""What would go wrong, found before anything is written or spent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from pipeline.errors import InputError, Problem
from pipeline.model.layout import Layout
from pipeline.model.pipeline import Pipeline, Step
from pipeline.model.sheet import SampleSheet
from pipeline.plan.plan import Inventory

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
    """A problem for each input template of which an object is absent, naming the first of them."""
    outside = ((step, one.path) for step, one in pipeline.outside_inputs() if not one.is_optional)
    for step, path in dict.fromkeys(outside):
        wanted = dict.fromkeys(sheet.fill(layout.source(path), row) for row in sheet.rows)
        missing = [key for key in wanted if key not in inventory.outside]
        if missing:
            names = ", ".join(key.rpartition("/")[2] for key in missing[:SHOWN])
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            folder = missing[0].rpartition("/")[0]
            yield Problem(
                f"step {step.name!r} needs {len(wanted)} objects like {path}, and {len(missing)} are not there",
                f"s3://{layout.bucket}/{folder}/: {names}{more}",
                "upload them, or correct the sample list, --input-prefix or --reference",
            )


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
