"""Tags of jobs, queues, definitions and the rest."""

from __future__ import annotations

from dataclasses import replace

from local_batch.errors import ClientError
from local_batch.host import Host
from local_batch.names import definition_name
from local_batch.shelf import Document

MAX_TAGS = 50
Tags = dict[str, str]


def show(host: Host, region: str, request: Document) -> Document:
    """Return a resource's tags."""
    with host.lock:
        return {"tags": _tags(host, request["resourceArn"])}


def tag(host: Host, region: str, request: Document) -> Document:
    """Add tags to a resource; a key that is there gets the new value."""
    with host.turn(is_synced=True):
        _set(host, request["resourceArn"], {**_tags(host, request["resourceArn"]), **request["tags"]})
    return {}


def untag(host: Host, region: str, request: Document) -> Document:
    """Remove tags from a resource."""
    with host.turn(is_synced=True):
        kept = {
            key: value
            for key, value in _tags(host, request["resourceArn"]).items()
            if key not in request["tagKeys"]
        }
        _set(host, request["resourceArn"], kept)
    return {}


def _tags(host: Host, arn: str) -> Tags:
    tags: Tags = _tagged(host, arn)[2]["tags"]
    return tags


def _set(host: Host, arn: str, tags: Tags) -> None:
    if len(tags) > MAX_TAGS:
        raise ClientError(f"A resource may have at most {MAX_TAGS} tags")
    kind, name, document = _tagged(host, arn)
    document["tags"] = tags
    if kind == "job":
        job = host.engine.jobs[name]
        job.submission = replace(job.submission, tags=tags)
        for unit in job.units:
            unit.submission = job.submission
        host.store.add(job.submission)
    else:
        shelf = _shelves(host)[kind]
        shelf.put(name, shelf.find(name) or {})


def _tagged(host: Host, arn: str) -> tuple[str, str, Document]:
    """Return the kind and name of what an ARN names, and the document that carries its tags."""
    kind, _, name = arn.rpartition(":")[2].partition("/") if ":job-definition/" not in arn else ("", "", "")
    if kind == "job" and name in host.engine.jobs:
        return kind, name, {"tags": host.engine.jobs[name].submission.tags}
    if kind in _shelves(host) and (document := _shelves(host)[kind].find(name)) is not None:
        return kind, name, document
    if ":job-definition/" in arn:
        name, revision = definition_name(arn)
        for each in (host.definitions.find(name) or {"revisions": []})["revisions"]:
            if each["revision"] == revision:
                return host.definitions.kind, name, each
    raise ClientError(f"Resource {arn} does not exist or cannot be tagged")


def _shelves(host: Host) -> Document:
    shelves = (host.definitions, host.queues, host.environments, host.policies, host.consumables)
    return {shelf.kind: shelf for shelf in shelves}
