"""What would go wrong, found before anything is written or spent: all problems in one message."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.aws import Cloud
from pipeline.batch import Batch
from pipeline.errors import InputError, Problem
from pipeline.layout import Layout
from pipeline.machines import largest_memory_mib
from pipeline.model import Pipeline, Step
from pipeline.role import role_problems
from pipeline.sheet import SampleSheet
from pipeline.site import Site, describe_site, find_deployment
from pipeline.storage import Bucket

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


def check_before_run(
    pipeline: Pipeline,
    sheet: SampleSheet,
    *,
    layout: Layout,
    objects: Collection[str],
    queue: tuple[str, Batch, Cloud],
) -> Site:
    """The inputs are there, the queue can run every step, its site has the images, and jobs may use the bucket.

    The site is returned. Raises: InputError with all problems.
    """
    name, batch, cloud = queue
    problems = [
        *missing_inputs(pipeline, sheet, layout, objects),
        *queue_problems(pipeline, name, batch, cloud),
    ]
    site = Site()
    try:
        found = find_deployment(cloud, name)
        if found:
            problems += role_problems(cloud.client("iam"), found, pipeline, layout)
        site = describe_site(cloud, found, {step.image for step in pipeline.steps})
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return site


def missing_inputs(
    pipeline: Pipeline, sheet: SampleSheet, layout: Layout, objects: Collection[str]
) -> Iterator[Problem]:
    """A problem for each input template of which an object is absent, naming the first of them."""
    for step, template in dict.fromkeys(pipeline.inputs()):
        wanted = dict.fromkeys(sheet.fill(layout.source(template), row) for row in sheet.rows)
        missing = [key for key in wanted if key not in objects]
        if missing:
            names = ", ".join(key.rpartition("/")[2] for key in missing[:SHOWN])
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            folder = missing[0].rpartition("/")[0]
            yield Problem(
                f"step {step.name!r} needs {len(wanted)} objects like {template}, and {len(missing)} are not there",
                f"s3://{layout.bucket}/{folder}/: {names}{more}",
                "upload them, or correct the sample list, --input-prefix or --reference",
            )


def queue_problems(pipeline: Pipeline, name: str, batch: Batch, cloud: Cloud) -> Iterator[Problem]:
    """Why the queue would never run some step: AWS itself says nothing and leaves such a job RUNNABLE for ever."""
    queue = batch.queue(name)
    if queue is None:
        yield Problem(
            f"there is no job queue {name!r}",
            "--queue",
            "give the name of a queue of this account and region",
        )
        return
    if queue["state"] != "ENABLED" or queue["status"] != "VALID":
        yield Problem(
            f"the queue takes no jobs: it is {queue['state']} and {queue['status']}",
            f"job queue {name!r}",
            "enable it, or see its compute environments",
        )
    names = [order["computeEnvironment"] for order in queue["computeEnvironmentOrder"]]
    environments = batch.compute_environments(names)
    vcpus = max((_max_vcpus(found) for found in environments), default=0)
    memory_mib = largest_memory_mib(cloud, environments)
    for step in pipeline.steps:
        if step.vcpus > vcpus:
            yield _too_big(step, f"{step.vcpus} vCPUs", f"the queue's machines have {vcpus}", name)
        if memory_mib and step.memory_mib > memory_mib:
            yield _too_big(
                step, f"{step.memory_mib} MiB", f"the queue's largest machine has {memory_mib}", name
            )


def _max_vcpus(environment: Mapping[str, Any]) -> int:
    return int(environment.get("computeResources", {}).get("maxvCpus", 0))


def _too_big(step: Step, asked: str, there_is: str, queue: str) -> Problem:
    return Problem(
        f"step {step.name!r} asks for {asked}, and {there_is}",
        f"job queue {queue!r}",
        "let the step ask for less, or name a queue with larger machines",
    )
