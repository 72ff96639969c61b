"""Consumable resources: how many there are, and which jobs want them."""

from __future__ import annotations

from local_batch.consumables import Consumable
from local_batch.details import summary
from local_batch.errors import ClientError
from local_batch.host import Host
from local_batch.job import Job
from local_batch.names import arn, check_name, short
from local_batch.paging import page
from local_batch.shelf import Document


def create(host: Host, region: str, request: Document) -> Document:
    """Make a consumable resource."""
    name = request["consumableResourceName"]
    check_name(name, "Consumable resource name")
    document = {
        "totalQuantity": 0,
        "resourceType": "REPLENISHABLE",
        "tags": {},
        **request,
        "createdAt": host.clock.now_ms(),
    }
    if document["resourceType"] not in ("REPLENISHABLE", "NON_REPLENISHABLE"):
        raise ClientError("resourceType should be REPLENISHABLE or NON_REPLENISHABLE")
    with host.turn(is_synced=True):
        if host.consumables.find(name) is not None:
            raise ClientError(f"Object already exists: {name}")
        host.consumables.put(name, document)
        schedule(host, document)
    return {"consumableResourceName": name, "consumableResourceArn": host.consumables.arn(region, name)}


def update(host: Host, region: str, request: Document) -> Document:
    """Set, raise or lower how many there are."""
    with host.turn(is_synced=True) as engine:
        document = _get(host, request["consumableResource"])
        name, quantity = document["consumableResourceName"], request.get("quantity", 0)
        resource = engine.scheduler.consumables[name]
        match request.get("operation", "SET"):
            case "SET":
                resource.total = quantity
            case "ADD":
                resource.total += quantity
            case "REMOVE":
                resource.total = max(0, resource.total - quantity)
            case other:
                raise ClientError(f"operation should be SET, ADD or REMOVE, not {other}")
        host.consumables.put(name, {**document, "totalQuantity": resource.total})
        return {
            "consumableResourceName": name,
            "consumableResourceArn": host.consumables.arn(region, name),
            "totalQuantity": resource.total,
        }


def delete(host: Host, region: str, request: Document) -> Document:
    """Forget a consumable resource; jobs that want it wait on."""
    with host.turn(is_synced=True) as engine:
        document = host.consumables.find(request["consumableResource"])
        if document is not None:
            host.consumables.delete(document["consumableResourceName"])
            del engine.scheduler.consumables[document["consumableResourceName"]]
    return {}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return one consumable resource."""
    with host.lock:
        document = _get(host, request["consumableResource"])
        return {
            **_shown(host, region, document),
            "createdAt": document["createdAt"],
            "tags": document["tags"],
        }


def list_all(host: Host, region: str, request: Document) -> Document:
    """Return all consumable resources."""
    with host.lock:
        found, token = page(host.consumables.all(), request, most=100)
        keys = ("availableQuantity",)
        shown = [_shown(host, region, document) for document in found]
        return {
            "consumableResources": [{k: v for k, v in each.items() if k not in keys} for each in shown],
            "nextToken": token,
        }


def list_jobs(host: Host, region: str, request: Document) -> Document:
    """Return the jobs that want a consumable resource, the latest first."""
    with host.lock:
        name = _get(host, request["consumableResource"])["consumableResourceName"]
        jobs = [job for job in reversed(host.engine.jobs.values()) if name in dict(job.submission.resources)]
        found, token = page(jobs, request, most=100)
        return {"jobs": [_wanting(job, name, region) for job in found], "nextToken": token}


def schedule(host: Host, document: Document) -> None:
    """Let the scheduler see a resource as its document says; nothing of it is in use yet."""
    host.engine.scheduler.consumables[document["consumableResourceName"]] = Consumable(
        total=document["totalQuantity"], is_replenishable=document["resourceType"] == "REPLENISHABLE"
    )


def _get(host: Host, name_or_arn: str) -> Document:
    document = host.consumables.find(name_or_arn)
    if document is None:
        raise ClientError(f"ConsumableResource {short(name_or_arn, 'consumable-resource')} not found.")
    return document


def _shown(host: Host, region: str, document: Document) -> Document:
    name = document["consumableResourceName"]
    resource = host.engine.scheduler.consumables[name]
    return {
        "consumableResourceName": name,
        "consumableResourceArn": host.consumables.arn(region, name),
        "totalQuantity": resource.total,
        "inUseQuantity": resource.in_use,
        "availableQuantity": resource.total - resource.in_use,
        "resourceType": document["resourceType"],
    }


def _wanting(job: Job, name: str, region: str) -> Document:
    shown = summary(job, region)
    wanted = [{"consumableResource": each, "quantity": count} for each, count in job.submission.resources]
    members = ("jobArn", "jobName", "shareIdentifier", "statusReason", "startedAt", "createdAt")
    return {
        **{key: shown[key] for key in members if key in shown},
        "jobQueueArn": arn(region, f"job-queue/{job.submission.queue}"),
        "jobDefinitionArn": shown["jobDefinition"],
        "jobStatus": job.status,
        "quantity": dict(job.submission.resources)[name],
        "consumableResourceProperties": {"consumableResourceList": wanted},
    }
