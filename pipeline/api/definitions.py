"""A pipeline's job definitions in an account."""

from __future__ import annotations

from pipeline.api.place import Place
from pipeline.cloud.batch import Batch
from pipeline.cloud.session import plain_errors
from pipeline.images.site import find_site
from pipeline.model.check import check_pipeline
from pipeline.model.pipeline import Pipeline
from pipeline.submit.definition import job_definition


def deregister_old(pipeline: Pipeline, place: Place) -> list[str]:
    """The definitions that are not those of the pipeline's steps of today take no new jobs; their ARNs."""
    check_pipeline(pipeline)
    cloud = place.connect()
    with plain_errors(cloud.where):
        batch = Batch(cloud)
        site = find_site(cloud, place.queue or "", {step.image for step in pipeline.steps})
        current = {job_definition(pipeline.name, step, site)["jobDefinitionName"] for step in pipeline.steps}
        old = [
            definition["jobDefinitionArn"]
            for definition in batch.definitions()
            if definition.get("tags", {}).get("pipeline") == pipeline.name
            and definition["jobDefinitionName"] not in current
        ]
        for arn in old:
            batch.deregister(arn)
    return old
