"""`gc`: job definitions that a pipeline's steps no longer use."""

from __future__ import annotations

import argparse
import json

from pipeline.aws import plain_errors
from pipeline.batch import Batch
from pipeline.connect import connect
from pipeline.definition import job_definition
from pipeline.model import Pipeline
from pipeline.prepare import choose_pipeline
from pipeline.screen import say
from pipeline.site import find_site


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The pipeline's definitions that are not those of its steps of today take no new jobs."""
    pipeline = choose_pipeline(options, default)
    cloud = connect(options.queue)
    with plain_errors(cloud.where):
        batch = Batch(cloud)
        site = find_site(cloud, options.queue, {step.image for step in pipeline.steps})
        current = {job_definition(pipeline.name, step, site)["jobDefinitionName"] for step in pipeline.steps}
        old = [
            definition["jobDefinitionArn"]
            for definition in batch.definitions()
            if definition.get("tags", {}).get("pipeline") == pipeline.name
            and definition["jobDefinitionName"] not in current
        ]
        for arn in old:
            batch.deregister(arn)
    if options.json:
        print(json.dumps(old))
    else:
        say(f"{len(old)} old job definitions of {pipeline.name!r} were deregistered")
    return 0
