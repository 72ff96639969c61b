"""Fair-share scheduling policies."""

from __future__ import annotations

from local_batch.errors import ClientError, UnavailableError
from local_batch.host import Host
from local_batch.names import check_name
from local_batch.paging import page
from local_batch.shares import FairShare
from local_batch.shelf import Document


def create(host: Host, region: str, request: Document) -> Document:
    """Make a policy that queues may be created with."""
    name = request["name"]
    check_name(name, "Scheduling policy name")
    _check(request)
    with host.turn(is_synced=True):
        if host.policies.find(name) is not None:
            raise ClientError(f"Object already exists: {name}")
        host.policies.put(name, {"fairsharePolicy": {}, "tags": {}, **request})
    return {"name": name, "arn": host.policies.arn(region, name)}


def update(host: Host, region: str, request: Document) -> Document:
    """Change a policy, for the queues that have it too."""
    _check(request)
    with host.turn(is_synced=True) as engine:
        document = host.policies.find(request["arn"])
        if document is None:
            raise ClientError(f"SchedulingPolicy {request['arn']} not found.")
        changed = {**document, "fairsharePolicy": request.get("fairsharePolicy", document["fairsharePolicy"])}
        host.policies.put(document["name"], changed)
        for queue in host.queues.all():
            if queue.get("schedulingPolicyArn"):
                policy = fair_share(host, queue["schedulingPolicyArn"])
                engine.scheduler.queues[queue["jobQueueName"]].shares.policy = policy
    return {}


def delete(host: Host, region: str, request: Document) -> Document:
    """Forget a policy that no queue has."""
    with host.turn(is_synced=True):
        document = host.policies.find(request["arn"])
        if document is None:
            return {}
        attached = [queue.get("schedulingPolicyArn") for queue in host.queues.all()]
        if any(arn and host.policies.find(arn) is document for arn in attached):
            raise ClientError("Cannot delete, found existing JobQueue relationship")
        host.policies.delete(document["name"])
    return {}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return policies by ARN."""
    if len(request["arns"]) > 100:
        raise ClientError("At most 100 ARNs may be given")
    with host.lock:
        found = [document for arn in request["arns"] if (document := host.policies.find(arn)) is not None]
        return {
            "schedulingPolicies": [{**each, "arn": host.policies.arn(region, each["name"])} for each in found]
        }


def list_all(host: Host, region: str, request: Document) -> Document:
    """Return the ARNs of all policies."""
    with host.lock:
        found, token = page(host.policies.all(), request, most=100)
        return {
            "schedulingPolicies": [{"arn": host.policies.arn(region, each["name"])} for each in found],
            "nextToken": token,
        }


def fair_share(host: Host, arn: str | None) -> FairShare | None:
    """Return what a queue's policy says, or nothing for a first-in first-out queue."""
    document = host.policies.find(arn) if arn else None
    if document is None:
        return None
    stated = document["fairsharePolicy"]
    shares = stated.get("shareDistribution", [])
    return FairShare(
        decay_s=stated.get("shareDecaySeconds", 0),
        reservation=stated.get("computeReservation", 0),
        weights={each["shareIdentifier"]: each.get("weightFactor", 1.0) for each in shares},
    )


def _check(request: Document) -> None:
    if "quotaSharePolicy" in request:
        raise UnavailableError("A quota share policy")
    policy = request.get("fairsharePolicy", {})
    if not 0 <= policy.get("shareDecaySeconds", 0) <= 604_800:
        raise ClientError("shareDecaySeconds should be between 0 and 604800")
    if not 0 <= policy.get("computeReservation", 0) <= 99:
        raise ClientError("computeReservation should be between 0 and 99")
    for each in policy.get("shareDistribution", []):
        if not 0.0001 <= each.get("weightFactor", 1.0) <= 999.9999:
            raise ClientError("weightFactor should be between 0.0001 and 999.9999")
