"""From what is asked for to a checked plan: nothing is written and nothing is spent on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pipeline.api.place import Place
from pipeline.cloud.batch import Batch
from pipeline.cloud.bucket import Bucket, split_url
from pipeline.cloud.local import runs_as_process
from pipeline.cloud.machines import largest_memory_mib
from pipeline.cloud.session import Cloud, plain_errors
from pipeline.errors import InputError, Problem
from pipeline.images.site import describe_site, find_deployment
from pipeline.model.check import check_columns, check_pipeline
from pipeline.model.layout import RESULTS, Layout
from pipeline.model.pipeline import Pipeline
from pipeline.model.run import Run
from pipeline.model.sheet import SampleSheet, parse_sheet
from pipeline.model.site import Site
from pipeline.plan import preflight, scripts
from pipeline.plan.code import Code, pack
from pipeline.plan.fingerprint import fingerprint
from pipeline.plan.inventory import marker_reader, take_inventory
from pipeline.plan.plan import Plan, Version, make_plan
from pipeline.stack.role import role_problems
from pipeline.submit.jobs import Order, make_run
from pipeline.submit.launch import check_tree, new_run_id


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for. `sample_list` is the text of a sample list, or its s3:// URL when it is None.

    `source` is what messages call the list.
    """

    pipeline: Pipeline
    place: Place
    source: str
    sample_list: bytes | None = None
    reference: str = "default"
    input_prefix: str = "input"
    results_prefix: str = RESULTS
    max_parallel: int | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A pipeline, its samples, what there is to do, and the doors to do it through."""

    pipeline: Pipeline
    layout: Layout
    plan: Plan
    code: Code
    versions: Mapping[str, Version]
    site: Site
    queue: Mapping[str, Any]
    cloud: Cloud
    bucket: Bucket
    batch: Batch
    max_parallel: int | None
    profile: str | None

    def make_run(self, now: datetime, plan: Plan | None = None) -> Run:
        """The run that does what the plan says, or what is left of it. Raises: InputError."""
        order = Order(
            run_id=new_run_id(self.pipeline.name, now),
            queue=self.queue["jobQueueName"],
            queue_arn=self.queue["jobQueueArn"],
            created_at=now.isoformat(timespec="seconds"),
            site=self.site,
            max_parallel=self.max_parallel,
        )
        return make_run(
            self.pipeline,
            plan or self.plan,
            layout=self.layout,
            code=self.code,
            versions=self.versions,
            order=order,
        )


def prepare(request: Request) -> Prepared:
    """Pipeline, sheet, bucket and queue are checked, and the plan is made. Raises: PipelineError."""
    pipeline = request.pipeline
    check_pipeline(pipeline)
    code = pack(pipeline)
    _raise_any(
        [
            problem
            for step in pipeline.steps
            for problem in scripts.fetch_problems(pipeline, step, code.steps[step.name].script)
        ]
    )
    layout = _layout(request)
    sheet = None if request.sample_list is None else _parse(request.sample_list, request, code)
    cloud = request.place.connect()
    with plain_errors(cloud.where):
        sheet = sheet or _parse(_read_list(request.source, cloud), request, code)
        bucket, batch = Bucket(cloud, layout.bucket), Batch(cloud)
        preflight.check_bucket(bucket, cloud)
        check_tree(bucket, layout)
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(_ask_queue, request, cloud, batch, layout)
            inventory = take_inventory(bucket, pipeline, sheet, layout)
            queue, site, problems = asked.result()
        _raise_any([*preflight.missing_inputs(pipeline, sheet, layout, inventory), *problems])
        versions = {
            step.name: Version(
                fingerprint(step, code.steps[step.name], site.contents.get(step.image, step.image)),
                code.steps[step.name].script.drives_its_child,
            )
            for step in pipeline.steps
        }
        plan = make_plan(
            pipeline,
            sheet,
            layout=layout,
            inventory=inventory,
            versions=versions,
            read=marker_reader(bucket),
        )
    return Prepared(
        pipeline=pipeline,
        layout=layout,
        plan=plan,
        code=code,
        versions=versions,
        site=site,
        queue=queue,
        cloud=cloud,
        bucket=bucket,
        batch=batch,
        max_parallel=request.max_parallel,
        profile=request.place.profile,
    )


def _raise_any(problems: Sequence[Problem]) -> None:
    if problems:
        raise InputError(problems)


def _layout(request: Request) -> Layout:
    problems = [
        Problem(f"{value!r} is not {what}", flag, fix)
        for flag, value, what, fix, is_fine in (
            ("--reference", request.reference, "the name of a folder", "give the name of a folder below reference/",
             _is_path(request.reference) and "/" not in request.reference),
            ("--input-prefix", request.input_prefix, "a prefix in the bucket", "give one such as input/batch-2",
             _is_path(request.input_prefix.strip("/"))),
            ("--results-prefix", request.results_prefix, "a prefix in the bucket", "give one such as results/batch-2",
             _is_path(request.results_prefix.strip("/"))),
        )
        if not is_fine
    ]  # fmt: skip
    _raise_any(problems)
    return Layout(
        request.place.bucket_name or "",
        request.pipeline.name,
        request.reference,
        request.input_prefix.strip("/"),
        request.results_prefix.strip("/"),
    )


def _is_path(text: str) -> bool:
    return not set(text) & set("{}") and all(part not in {"", ".", ".."} for part in text.split("/"))


def _read_list(url: str, cloud: Cloud) -> bytes:
    bucket, key = split_url(url)
    body = Bucket(cloud, bucket).read(key) if key else None
    if body is None:
        raise InputError(Problem("there is no such object", url, "correct --sample-list-file"))
    return body


def _parse(body: bytes, request: Request, code: Code) -> SampleSheet:
    """The sheet, which has every column that a step uses."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InputError(
            Problem("the sample list is not UTF-8 text", f"{request.source}, line {line}", "save it as UTF-8")
        ) from error
    pipeline = request.pipeline
    sheet = parse_sheet(text, request.source, suffix=_input_suffix(pipeline))
    check_columns(pipeline, sheet)
    _raise_any(
        [
            problem
            for step in pipeline.steps
            for problem in scripts.column_problems(pipeline, step, code.steps[step.name].script, sheet)
        ]
    )
    return sheet


def _input_suffix(pipeline: Pipeline) -> str:
    """What follows the sample's name in the first input's template: users list files where names are meant."""
    for _, one in pipeline.outside_inputs():
        name = PurePosixPath(one.path).name
        if name.startswith("{sample}"):
            return name.removeprefix("{sample}")
    return ""


def _ask_queue(
    request: Request, cloud: Cloud, batch: Batch, layout: Layout
) -> tuple[Mapping[str, Any], Site, list[Problem]]:
    """The queue, what its site brings, and all that speaks against running there."""
    pipeline, name = request.pipeline, request.place.queue or ""
    images = {step.image for step in pipeline.steps}
    queue = batch.queue(name)
    problems = [preflight.no_queue(name)] if queue is None else []
    if queue:
        names = [order["computeEnvironment"] for order in queue["computeEnvironmentOrder"]]
        environments = batch.compute_environments(names)
        memory_mib = largest_memory_mib(cloud, environments)
        problems += preflight.queue_problems(pipeline, queue, environments, memory_mib)
    site = Site()
    try:
        found = find_deployment(cloud, name)
        if found:
            problems += role_problems(cloud.client("iam"), found, pipeline, layout)
        site = describe_site(cloud, found, images)
    except InputError as error:
        problems += error.problems
    if cloud.is_local and any(step.mounts for step in pipeline.steps):
        problems += preflight.mount_problems(pipeline, runs_as_process(site.images))
    return queue or {}, site, problems
