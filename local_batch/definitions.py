"""Job definitions: registered in revisions, resolved by name or ARN, never changed."""

from __future__ import annotations

from typing import Any

from local_batch import limits
from local_batch.errors import ClientError, UnavailableError
from local_batch.host import Host
from local_batch.names import check_name, definition_name
from local_batch.paging import page
from local_batch.shelf import Document

LIST_NAMES = ("environment", "mountPoints", "resourceRequirements", "secrets", "ulimits", "volumes")


def register(host: Host, region: str, request: Document) -> Document:
    """Keep a new revision of a definition and return its ARN."""
    name = request["jobDefinitionName"]
    check_name(name, "Job definition name")
    document = _checked(request)
    with host.turn(is_synced=True):
        revisions = host.definitions.find(name) or {"revisions": []}
        document["revision"] = len(revisions["revisions"]) + 1
        host.definitions.put(name, {"revisions": [*revisions["revisions"], document]})
    return {
        "jobDefinitionName": name,
        "jobDefinitionArn": _arn(host, region, document),
        "revision": document["revision"],
    }


def deregister(host: Host, region: str, request: Document) -> Document:
    """Make one revision INACTIVE; jobs already submitted keep it."""
    name, revision = definition_name(request["jobDefinition"])
    if revision is None:
        raise ClientError("Job definition should be name:revision or an ARN with a revision")
    with host.turn(is_synced=True):
        document = _revision(host, name, revision)
        if document is None:
            raise ClientError(f"JobDefinition {request['jobDefinition']} not found.")
        document["status"] = "INACTIVE"
        host.definitions.put(name, host.definitions.find(name) or {})
    return {}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return definitions by name, by `name:revision` or ARN, or all; by status when one is given."""
    with host.lock:
        found = [
            document
            for document in _asked_for(host, request)
            if request.get("status") in (None, document["status"])
        ]
        documents, token = page(found, request, most=100)
        return {
            "jobDefinitions": [{**each, "jobDefinitionArn": _arn(host, region, each)} for each in documents],
            "nextToken": token,
        }


def resolve(host: Host, name_or_arn: str) -> Document:
    """Return the revision that a job is submitted with: the one named, or the latest active one."""
    name, revision = definition_name(name_or_arn)
    if revision is None:
        active = [document for document in _revisions(host, name) if document["status"] == "ACTIVE"]
        found = active[-1] if active else None
    else:
        found = _revision(host, name, revision)
    if found is not None and found["status"] == "ACTIVE":
        return found
    if name_or_arn.startswith("arn:"):
        raise ClientError(f"JobDefinition {name_or_arn} not found.")
    raise ClientError(f"JobDefinition name {name_or_arn} does not exist or is not in ACTIVE status")


def _checked(request: Document) -> Document:
    limits.check_size(request, "Job definition", limits.DEFINITION_KIB)
    if request["type"] != "container" or "nodeProperties" in request:
        raise UnavailableError("A multi-node job")
    if "eksProperties" in request:
        raise UnavailableError("A job on Kubernetes")
    document = {
        "parameters": {},
        "status": "ACTIVE",
        "containerOrchestrationType": "ECS",
        "platformCapabilities": ["EC2"],
        **request,
        "tags": request.get("tags", {}),
    }
    if "retryStrategy" in request:
        limits.retry_rules(request["retryStrategy"])
        entries = request["retryStrategy"].get("evaluateOnExit", [])
        lowered = [{**entry, "action": entry["action"].lower()} for entry in entries]
        document["retryStrategy"] = {**request["retryStrategy"], "evaluateOnExit": lowered}
    if "timeout" in request:
        limits.check_timeout(request["timeout"])
    container = container_of(request)
    limits.check_environment(container.get("environment", []))
    limits.check_command(container.get("command", []))
    limits.resources(container, document["platformCapabilities"])
    if "FARGATE" in document["platformCapabilities"] and not container.get("executionRoleArn"):
        raise ClientError("executionRoleArn is required for Fargate jobs")
    if "containerProperties" in document:
        document["containerProperties"] = {"command": [], **{name: [] for name in LIST_NAMES}, **container}
    return document


def container_of(document: Document) -> dict[str, Any]:
    """Return a definition's one container, from either of the forms it may be written in."""
    if "ecsProperties" in document:
        if "containerProperties" in document:
            raise ClientError("Only one of containerProperties and ecsProperties may be given")
        tasks = document["ecsProperties"]["taskProperties"]
        if len(tasks) != 1:
            raise ClientError("ecsProperties should have exactly one entry in taskProperties")
        if len(tasks[0]["containers"]) != 1:
            raise UnavailableError("A job of several containers")
        task = {key: tasks[0][key] for key in ("executionRoleArn", "volumes") if key in tasks[0]}
        return {**tasks[0]["containers"][0], **task}
    if "containerProperties" not in document:
        raise ClientError("Container properties are required for a job definition of type container")
    container: dict[str, Any] = document["containerProperties"]
    if not container.get("image"):
        raise ClientError("Container properties should not be empty: image is required")
    return container


def _asked_for(host: Host, request: Document) -> list[Document]:
    if request.get("jobDefinitions"):
        names = [definition_name(each) for each in request["jobDefinitions"]]
    elif request.get("jobDefinitionName"):
        names = [definition_name(request["jobDefinitionName"])]
    else:
        return [document for entry in host.definitions.all() for document in reversed(entry["revisions"])]
    found = []
    for name, revision in names:
        found += [each for each in reversed(_revisions(host, name)) if revision in (None, each["revision"])]
    return found


def _revisions(host: Host, name: str) -> list[Document]:
    entry = host.definitions.find(name)
    return entry["revisions"] if entry else []


def _revision(host: Host, name: str, revision: int) -> Document | None:
    revisions = _revisions(host, name)
    return revisions[revision - 1] if 1 <= revision <= len(revisions) else None


def _arn(host: Host, region: str, document: Document) -> str:
    return host.definitions.arn(region, f"{document['jobDefinitionName']}:{document['revision']}")
