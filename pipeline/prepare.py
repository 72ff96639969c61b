"""From the words of the command to a checked plan: nothing is written and nothing is spent on the way."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from pipeline.aws import Cloud, plain_errors
from pipeline.batch import Batch
from pipeline.code import Code, fingerprint, pack
from pipeline.connect import connect
from pipeline.errors import InputError, Problem
from pipeline.inventory import take_inventory
from pipeline.layout import Layout
from pipeline.load import load_pipeline
from pipeline.model import Pipeline
from pipeline.plan import Plan, make_plan
from pipeline.preflight import check_before_run, check_bucket
from pipeline.sheet import SampleSheet, parse_sheet
from pipeline.site import Site
from pipeline.storage import Bucket, split_url


@dataclass(frozen=True)
class Prepared:
    """A pipeline, its samples, what there is to do, and the doors to do it through."""

    pipeline: Pipeline
    layout: Layout
    plan: Plan
    cloud: Cloud
    bucket: Bucket
    batch: Batch
    site: Site

    @cached_property
    def code(self) -> Code:
        """The pipeline's batch-side code, packed once."""
        return pack(self.pipeline)


def prepare(options: argparse.Namespace, default: Pipeline) -> Prepared:
    """Pipeline, sheet, bucket and queue are checked, and the plan is made. Raises: PipelineError."""
    pipeline = choose_pipeline(options, default)
    pipeline.check()
    layout = Layout(
        options.bucket_name, pipeline.name, _one_segment(options.reference), options.input_prefix.strip("/")
    )
    local_sheet = None if options.sample_list_file.startswith("s3://") else _read_local(options, pipeline)
    cloud = connect(options.queue)
    with plain_errors(cloud.where):
        sheet = local_sheet or _read_from_s3(options.sample_list_file, pipeline, cloud)
        bucket, batch = Bucket(cloud, options.bucket_name), Batch(cloud)
        check_bucket(bucket, cloud)
        inventory = take_inventory(bucket, layout)
        site = check_before_run(
            pipeline,
            sheet,
            layout=layout,
            objects=inventory.etags.keys(),
            queue=(options.queue, batch, cloud),
        )
        fingerprints = {step.name: fingerprint(pipeline, step) for step in pipeline.steps}
        plan = make_plan(pipeline, sheet, layout=layout, inventory=inventory, fingerprints=fingerprints)
    return Prepared(pipeline, layout, plan, cloud, bucket, batch, site)


def choose_pipeline(options: argparse.Namespace, default: Pipeline) -> Pipeline:
    """The pipeline that --pipeline and --pipeline-name mean. Raises: InputError."""
    pipeline = load_pipeline(options.pipeline) if options.pipeline else default
    return replace(pipeline, name=options.pipeline_name) if options.pipeline_name else pipeline


def _one_segment(reference: str) -> str:
    if "/" in reference or reference in {"", ".", ".."}:
        raise InputError(
            Problem(
                f"{reference!r} is not the name of a folder",
                "--reference",
                "give the name of a folder below reference/",
            )
        )
    return reference


def _read_local(options: argparse.Namespace, pipeline: Pipeline) -> SampleSheet:
    name = options.sample_list_file
    try:
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(
            Problem(
                f"the sample list cannot be read: {error.strerror}",
                f"--sample-list-file {name}",
                "give a file with one sample name a line",
            )
        ) from error
    return _parse(body, "standard input" if name == "-" else name, pipeline)


def _read_from_s3(url: str, pipeline: Pipeline, cloud: Cloud) -> SampleSheet:
    bucket, key = split_url(url)
    body = Bucket(cloud, bucket).read(key)
    if body is None:
        raise InputError(Problem("there is no such object", url, "correct --sample-list-file"))
    return _parse(body, url, pipeline)


def _parse(body: bytes, source: str, pipeline: Pipeline) -> SampleSheet:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InputError(
            Problem("the sample list is not UTF-8 text", f"{source}, line {line}", "save it as UTF-8")
        ) from error
    return parse_sheet(text, source, suffix=_input_suffix(pipeline))


def _input_suffix(pipeline: Pipeline) -> str:
    """What follows the sample's name in the first input's template: users list files where names are meant."""
    for _, template in pipeline.inputs():
        name = PurePosixPath(template).name
        if name.startswith("{sample}"):
            return name.removeprefix("{sample}")
    return ""
