"""From a plan to the run's jobs, and from a job to its SubmitJob request: pure, and all that Batch is told."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError, Problem
from pipeline.model.check import MAX_DEPENDENCIES
from pipeline.model.layout import Layout, RunKeys, code_key
from pipeline.model.pipeline import Per, Pipeline, Step
from pipeline.model.run import DependencyType, Job, Run, RunStep
from pipeline.model.site import Site
from pipeline.plan.code import Code
from pipeline.plan.plan import Plan, StepPlan, Version, upstreams
from pipeline.submit.definition import job_definition
from steps.library import contract

MAX_ARRAY = 10_000  # https://docs.aws.amazon.com/batch/latest/userguide/array_jobs.html
MAX_OVERRIDES = 8192  # characters: https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is beside its pipeline and samples: its name, its queue, and what the queue's site brings."""

    run_id: str
    queue: str
    queue_arn: str
    created_at: str
    site: Site
    max_parallel: int | None = None

    @property
    def region(self) -> str:
        return self.queue_arn.split(":")[3]

    @property
    def account(self) -> str:
        return self.queue_arn.split(":")[4]


def shards(size: int) -> list[tuple[int, int]]:
    """(first row, size) of each array over `size` rows: as few as can be, balanced, so never one of a single row."""
    count = math.ceil(size / MAX_ARRAY)
    bounds = [size * shard // count for shard in range(count + 1)] if count else []
    return [(first, after - first) for first, after in itertools.pairwise(bounds)]


def make_run(
    pipeline: Pipeline,
    plan: Plan,
    *,
    layout: Layout,
    code: Code,
    versions: Mapping[str, Version],
    order: Order,
) -> Run:
    """The run that does what the plan says.

    Raises: InputError when a step would depend on more jobs than Batch allows, or be told more than it takes.
    """
    making = _Making(layout, code, versions, order)
    steps: dict[str, RunStep] = {}
    for share in plan.steps:
        steps[share.step.name] = making.step(pipeline, plan, share, steps)
    problems = [problem for step in steps.values() for problem in _too_long(step)]
    if problems:
        raise InputError(problems)
    return Run(
        id=order.run_id,
        bucket=layout.bucket,
        queue=order.queue,
        queue_arn=order.queue_arn,
        region=order.region,
        account=order.account,
        pipeline=pipeline.name,
        reference=layout.reference,
        input=layout.input_url,
        results=layout.url(layout.results),
        created_at=order.created_at,
        sheet_digest=plan.sheet.digest(),
        samples=len(plan.sheet),
        rows=len(plan.work),
        steps=tuple(steps.values()),
        max_parallel=order.max_parallel,
    )


@dataclass(frozen=True)
class _Making:
    layout: Layout
    code: Code
    versions: Mapping[str, Version]
    order: Order

    def step(self, pipeline: Pipeline, plan: Plan, share: StepPlan, before: Mapping[str, RunStep]) -> RunStep:
        step = share.step
        output = self.layout.url(self.layout.output(step, self._cohort(plan, step)))
        return RunStep(
            name=step.name,
            per=Per(step.per),
            after=tuple(upstream.name for upstream in step.after),
            done=share.done,
            output=output,
            memory_mib=step.memory_mib,
            fingerprint=self.versions[step.name].fingerprint,
            definition=job_definition(pipeline.name, step, self.order.site),
            command=self.code.steps[step.name].command,
            environment=self._environment(step, output, before) if share.todo else {},
            jobs=tuple(self._jobs(share, before, len(plan.work))),
        )

    def _cohort(self, plan: Plan, step: Step) -> str:
        return plan.sheet.cohort(step.used_columns) if step.per == Per.RUN else ""

    def _jobs(self, share: StepPlan, before: Mapping[str, RunStep], rows: int) -> Iterator[Job]:
        if not share.todo:
            return
        step = share.step
        pieces = shards(rows) if step.per == Per.SAMPLE else [(0, 1)]
        for shard, (first_row, size) in enumerate(pieces):
            after = _dependencies(step, before, shard)
            if len(after) > MAX_DEPENDENCIES:
                raise InputError(_too_many(step, len(after), rows))
            number = f"-{shard}" if len(pieces) > 1 else ""
            yield Job(f"{self.order.run_id}-{step.name}{number}", size, first_row, after)

    def _environment(self, step: Step, output: str, before: Mapping[str, RunStep]) -> dict[str, str]:
        """What a child is told, as variables: docs/steps.md explains each."""
        layout, keys, version = self.layout, RunKeys(self.order.run_id), self.versions[step.name]
        rows = {Per.SAMPLE: layout.url(keys.rows), Per.RUN: layout.url(keys.sheet), Per.REFERENCE: ""}
        mounts = {"input": {"MOUNT_INPUT": layout.input_url}, "output": {"MOUNT_OUTPUT": output}}
        job = contract.Job(
            run=layout.url(keys.prefix),
            step=step.name,
            scope=str(step.per),
            rows=rows[Per(step.per)],
            row=0,
            input=layout.input_url,
            reference=layout.url(layout.reference_prefix),
            output=output,
            after={
                name: contract.Upstream(str(upstream.per), before[name].output, before[name].fingerprint)
                for name, (upstream, _) in upstreams(step, version).items()
            },
            fingerprint=version.fingerprint,
            columns=step.used_columns,
            inputs=step.declared,
            outputs=tuple(step.outputs),
            vcpus=step.vcpus,
            memory_mib=step.memory_mib,
        )
        return {
            **self.order.site.environment,
            **{name: value for mount in step.mounts for name, value in mounts[mount].items()},
            **step.parameters,
            "BATCH_FILE_TYPE": "zip",
            "BATCH_FILE_S3_URL": layout.url(code_key(self.code.steps[step.name].sha256)),
            "BATCH_FILE_SHA256": self.code.steps[step.name].sha256,
            **job.to_environment(),
        }


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


def _too_many(step: Step, jobs: int, rows: int) -> Problem:
    return Problem(
        f"step {step.name!r} would wait for {jobs} jobs; Batch allows {MAX_DEPENDENCIES}",
        f"{rows} samples in arrays of at most {MAX_ARRAY}",
        "split the sample list and run the parts one after the other",
    )


def _too_long(step: RunStep) -> Iterator[Problem]:
    size = len(json.dumps(_overrides(step, step.jobs[-1]))) if step.jobs else 0
    if size > MAX_OVERRIDES:
        longest = sorted(step.environment, key=lambda name: -len(step.environment[name]))[:SHOWN]
        sizes = ", ".join(f"{name} {len(step.environment[name])}" for name in longest)
        yield Problem(
            f"step {step.name!r} would be told {size} characters; Batch takes {MAX_OVERRIDES}",
            f"its variables: {sizes}",
            "put long parameters into a file: files=[…] of the pipeline",
        )


def _overrides(step: RunStep, job: Job) -> dict[str, Any]:
    environment = {**step.environment, "PIPELINE_FIRST_ROW": str(job.first_row)}
    return {
        "command": list(step.command),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
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
        "containerOverrides": _overrides(step, job),
        "tags": {"run": run.id, "pipeline": run.pipeline, "step": step.name},
        "propagateTags": True,
        **({"arrayProperties": {"size": job.size}} if job.size > 1 else {}),
        **({"consumableResourcePropertiesOverride": {"consumableResourceList": slots}} if slots else {}),
    }
