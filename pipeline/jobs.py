"""From a plan to the run's jobs, and from a job to its SubmitJob request: pure, and all that Batch is told."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.code import Code, command, fingerprint
from pipeline.definition import job_definition
from pipeline.errors import InputError, Problem
from pipeline.layout import Layout, code_key, run_prefix
from pipeline.model import MAX_DEPENDENCIES, Per, Pipeline, Step
from pipeline.plan import Plan, StepPlan
from pipeline.run import DependencyType, Job, Run, RunStep

if TYPE_CHECKING:
    from pipeline.site import Site

MAX_ARRAY = 10_000  # https://docs.aws.amazon.com/batch/latest/userguide/array_jobs.html


@dataclass(frozen=True)
class Order:
    """What a run is beside its pipeline and samples: its name, its queue, and what the queue's site brings."""

    run_id: str
    queue: str
    created_at: str
    site: Site
    max_parallel: int | None = None


def shards(size: int) -> list[tuple[int, int]]:
    """(first row, size) of each array over `size` rows: as few as can be, balanced, so never one of a single row."""
    count = math.ceil(size / MAX_ARRAY)
    bounds = [size * shard // count for shard in range(count + 1)]
    return [(first, after - first) for first, after in itertools.pairwise(bounds)]


def make_run(pipeline: Pipeline, plan: Plan, *, layout: Layout, code: Code, order: Order) -> Run:
    """The run that does what the plan says.

    Raises: InputError when a step would depend on more jobs than Batch allows.
    """
    run = Run(
        id=order.run_id,
        bucket=layout.bucket,
        queue=order.queue,
        pipeline=pipeline.name,
        reference=layout.reference,
        created_at=order.created_at,
        cohort=plan.sheet.digest(),
        sheet=f"{run_prefix(order.run_id)}/samples.tsv",
        work=f"{run_prefix(order.run_id)}/{'samples' if plan.work == plan.sheet else 'work'}.tsv",
        steps=(),
        max_parallel=order.max_parallel,
    )
    steps: dict[str, RunStep] = {}
    for share in plan.steps:
        jobs = _jobs(
            run,
            share,
            steps,
            len(plan.work),
            {**order.site.environment, **_environment(run, pipeline, share.step, layout, code)},
        )
        steps[share.step.name] = RunStep(
            name=share.step.name,
            per=Per(share.step.per),
            after=tuple(upstream.name for upstream in share.step.after),
            done=share.done,
            output=layout.url(layout.output(share.step, run.cohort)),
            memory_mib=share.step.memory_mib,
            fingerprint=fingerprint(pipeline, share.step),
            definition=job_definition(pipeline.name, share.step, order.site),
            command=tuple(command(pipeline, share.step)),
            jobs=jobs,
        )
    return Run(**{**vars(run), "steps": tuple(steps.values())})


def _jobs(
    run: Run, share: StepPlan, before: Mapping[str, RunStep], rows: int, environment: Mapping[str, str]
) -> tuple[Job, ...]:
    if not share.todo:
        return ()
    jobs = []
    pieces = shards(rows) if share.step.per == Per.SAMPLE else [(0, 1)]
    for shard, (first_row, size) in enumerate(pieces):
        after = _dependencies(share.step, before, shard)
        if len(after) > MAX_DEPENDENCIES:
            raise InputError(
                Problem(
                    f"step {share.step.name!r} would wait for {len(after)} jobs; Batch allows {MAX_DEPENDENCIES}",
                    f"{rows} samples in arrays of at most {MAX_ARRAY}",
                    "split the sample list and run the parts one after the other",
                )
            )
        number = f"-{shard}" if len(pieces) > 1 else ""
        name = f"{run.id}-{share.step.name}{number}"
        jobs.append(Job(name, size, first_row, after, {**environment, "PIPELINE_FIRST_ROW": str(first_row)}))
    return tuple(jobs)


def _dependencies(
    step: Step, before: Mapping[str, RunStep], shard: int
) -> tuple[tuple[str, DependencyType], ...]:
    """Sample to sample, child i waits for child i; anything else waits for the whole of each job."""
    after: list[tuple[str, DependencyType]] = []
    for upstream in step.after:
        jobs = before[upstream.name].jobs
        if step.per == upstream.per == Per.SAMPLE and jobs:
            after.append((jobs[shard].name, "N_TO_N" if jobs[shard].size > 1 else None))
        else:
            after += [(job.name, None) for job in jobs]
    return tuple(after)


def _environment(run: Run, pipeline: Pipeline, step: Step, layout: Layout, code: Code) -> dict[str, str]:
    """What a child is told, as variables: docs/steps.md explains each."""
    mounts = {
        "input": {"MOUNT_INPUT": layout.url(layout.input_prefix)},
        "output": {"MOUNT_OUTPUT": layout.url(layout.output(step, run.cohort))},
    }
    return {
        **{name: value for mount in step.mounts for name, value in mounts[mount].items()},
        **step.parameters,
        "BATCH_FILE_TYPE": "zip",
        "BATCH_FILE_S3_URL": layout.url(code_key(code.sha256)),
        "BATCH_FILE_SHA256": code.sha256,
        "PIPELINE_RUN": run.uri,
        "PIPELINE_STEP": step.name,
        "PIPELINE_SCOPE": str(step.per),
        "PIPELINE_SHEET": layout.url(run.work if step.per == Per.SAMPLE else run.sheet),
        "PIPELINE_INPUT": layout.url(layout.input_prefix),
        "PIPELINE_REFERENCE": layout.url(layout.reference_prefix),
        "PIPELINE_RESULTS": layout.url(layout.results),
        "PIPELINE_OUTPUT": layout.url(layout.output(step, run.cohort)),
        "PIPELINE_ONCE": json.dumps(
            {
                upstream.name: layout.url(layout.output(upstream, run.cohort))
                for upstream in step.after
                if upstream.per == Per.RUN
            }
        ),
        "PIPELINE_FINGERPRINT": fingerprint(pipeline, step),
        "PIPELINE_VCPUS": str(step.vcpus),
        "PIPELINE_MEMORY_MIB": str(step.memory_mib),
        "PIPELINE_INPUTS": json.dumps(list(step.inputs)),
        "PIPELINE_OUTPUTS": json.dumps(list(step.outputs)),
    }


def submit_request(run: Run, step: RunStep, job: Job, job_ids: Mapping[str, str]) -> dict[str, Any]:
    """The SubmitJob request of a job, given the ids of the jobs that it comes after."""
    slots = [{"consumableResource": run.id, "quantity": 1}] if run.max_parallel else []
    return {
        "jobName": job.name,
        "jobQueue": run.queue,
        "jobDefinition": step.definition["jobDefinitionName"],
        "dependsOn": [
            {"jobId": job_ids[name], **({"type": kind} if kind else {})} for name, kind in job.after
        ],
        "containerOverrides": {
            "command": list(step.command),
            "environment": [{"name": name, "value": value} for name, value in job.environment.items()],
        },
        "tags": {"run": run.id, "pipeline": run.pipeline, "step": step.name},
        "propagateTags": True,
        **({"arrayProperties": {"size": job.size}} if job.size > 1 else {}),
        **({"consumableResourcePropertiesOverride": {"consumableResourceList": slots}} if slots else {}),
    }
