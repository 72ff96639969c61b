"""Compute environments: parts of this machine of a stated size."""

from __future__ import annotations

import math

from local_batch.capacity import Capacity
from local_batch.errors import ClientError, UnavailableError
from local_batch.host import Host
from local_batch.names import check_name, new_id, short
from local_batch.paging import page
from local_batch.scheduler import Environment
from local_batch.shelf import Document

MAX_ENVIRONMENTS = 50
UPDATABLE = ("state", "serviceRole", "updatePolicy", "context", "ecsSettings")
REQUIRED_ON_EC2 = {"subnets": "Resource subnets is required.", "minvCpus": "Resource minvCpus is required."}


def create(host: Host, region: str, request: Document) -> Document:
    """Make a compute environment that runs jobs at once."""
    name = request["computeEnvironmentName"]
    check_name(name, "Compute environment name")
    _check(request)
    document = new(request)
    with host.turn(is_synced=True):
        if host.environments.find(name) is not None:
            raise ClientError(f"Object already exists: {name}")
        if len(host.environments.all()) >= MAX_ENVIRONMENTS:
            raise ClientError(f"An account may have at most {MAX_ENVIRONMENTS} compute environments")
        _keep(host, name, document)
    return {"computeEnvironmentName": name, "computeEnvironmentArn": host.environments.arn(region, name)}


def new(request: Document) -> Document:
    """Return the document of a new compute environment."""
    return {"state": "ENABLED", "tags": {}, **request, "uuid": new_id()}


def update(host: Host, region: str, request: Document) -> Document:
    """Change a compute environment; what runs in it goes on."""
    with host.turn(is_synced=True):
        document = _get(host, request["computeEnvironment"])
        changes = {key: request[key] for key in UPDATABLE if key in request}
        changes["computeResources"] = {**document["computeResources"], **request.get("computeResources", {})}
        name = document["computeEnvironmentName"]
        _keep(host, name, {**document, **changes})
    return {"computeEnvironmentName": name, "computeEnvironmentArn": host.environments.arn(region, name)}


def delete(host: Host, region: str, request: Document) -> Document:
    """Forget a compute environment that is disabled and in no queue."""
    with host.turn(is_synced=True) as engine:
        document = host.environments.find(request["computeEnvironment"])
        if document is None:
            return {}
        if document["state"] != "DISABLED":
            raise ClientError("Cannot delete, resource must be DISABLED before it is deleted")
        name = document["computeEnvironmentName"]
        if any(name in queue.environments for queue in engine.scheduler.queues.values()):
            raise ClientError("Cannot delete, found existing JobQueue relationship")
        host.environments.delete(name)
        del engine.scheduler.environments[name]
    return {}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return compute environments by name or ARN, or all."""
    with host.lock:
        found, token = page(host.environments.named(request.get("computeEnvironments")), request, most=100)
        return {
            "computeEnvironments": [_shown(host, region, document) for document in found],
            "nextToken": token,
        }


def schedule(host: Host, document: Document) -> None:
    """Let the scheduler see an environment as its document says; what it has taken stays taken."""
    scheduler, name = host.engine.scheduler, document["computeEnvironmentName"]
    size = document["computeResources"]["maxvCpus"]
    place = scheduler.environments.setdefault(name, Environment(name, Capacity(0, 0)))
    place.capacity.vcpus, place.capacity.memory_mib = size, scheduler.machine.memory_mib
    place.is_enabled = document["state"] == "ENABLED"
    scheduler.reconsider()


def _keep(host: Host, name: str, document: Document) -> None:
    host.environments.put(name, document)
    schedule(host, document)


def _get(host: Host, name_or_arn: str) -> Document:
    document = host.environments.find(name_or_arn)
    if document is None:
        raise ClientError(f"{short(name_or_arn, 'compute-environment')} does not exist")
    return document


def _check(request: Document) -> None:
    if request["type"] != "MANAGED":
        raise UnavailableError("An UNMANAGED compute environment")
    if "eksConfiguration" in request:
        raise UnavailableError("A compute environment on Kubernetes")
    resources = request.get("computeResources")
    if not resources:
        raise ClientError("computeResources must be provided for a MANAGED compute environment")
    if resources["type"] == "ECS_MANAGED_INSTANCES":
        raise UnavailableError("A compute environment of managed instances")
    if resources["type"] in ("EC2", "SPOT") and not resources.get("instanceRole"):
        raise ClientError("Instance role is required.")
    if resources["type"] in ("EC2", "SPOT"):
        for member, text in REQUIRED_ON_EC2.items():
            if member not in resources:
                raise ClientError(text)
    if resources["maxvCpus"] < 1:
        raise ClientError("Resource maxvCpus should be at least 1.")


def _shown(host: Host, region: str, document: Document) -> Document:
    name = document["computeEnvironmentName"]
    place = host.engine.scheduler.environments[name]
    cluster = (
        host.environments.arn(region, "")
        .replace(":batch:", ":ecs:")
        .replace("compute-environment/", "cluster/")
    )
    return {
        **document,
        "computeEnvironmentArn": host.environments.arn(region, name),
        "ecsClusterArn": f"{cluster}{name}_Batch_{document['uuid']}",
        "containerOrchestrationType": "ECS",
        "computeResources": {
            "desiredvCpus": math.ceil(place.capacity.used_vcpus),
            **document["computeResources"],
        },
        "status": "VALID",
        "statusReason": "ComputeEnvironment Healthy",
    }
