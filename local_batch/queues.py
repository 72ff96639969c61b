"""Job queues: their priority, their compute environments, their scheduling policy."""

from __future__ import annotations

from local_batch import policies
from local_batch.errors import ClientError
from local_batch.host import Host
from local_batch.names import check_name, short
from local_batch.paging import page
from local_batch.scheduler import Queue
from local_batch.shares import Shares
from local_batch.shelf import Document

MAX_QUEUES = 50
MAX_ENVIRONMENTS = 3
UPDATABLE = (
    "state",
    "priority",
    "computeEnvironmentOrder",
    "schedulingPolicyArn",
    "jobStateTimeLimitActions",
)


def create(host: Host, region: str, request: Document) -> Document:
    """Make a queue that takes jobs at once."""
    name = request["jobQueueName"]
    check_name(name, "Job queue name")
    with host.turn(is_synced=True):
        if host.queues.find(name) is not None:
            raise ClientError(f"Object already exists: {name}")
        if len(host.queues.all()) >= MAX_QUEUES:
            raise ClientError(f"An account may have at most {MAX_QUEUES} job queues")
        _keep(host, name, new(request))
    return {"jobQueueName": name, "jobQueueArn": host.queues.arn(region, name)}


def new(request: Document) -> Document:
    """Return the document of a new queue."""
    return {"state": "ENABLED", "tags": {}, "jobStateTimeLimitActions": [], **request}


def update(host: Host, region: str, request: Document) -> Document:
    """Change a queue; a scheduling policy may be replaced, not removed."""
    with host.turn(is_synced=True):
        document = get(host, request["jobQueue"])
        if "schedulingPolicyArn" in request and not document.get("schedulingPolicyArn"):
            raise ClientError("A scheduling policy can only be attached when the job queue is created")
        changes = {key: request[key] for key in UPDATABLE if key in request}
        name = document["jobQueueName"]
        _keep(host, name, {**document, **changes})
    return {"jobQueueName": name, "jobQueueArn": host.queues.arn(region, name)}


def delete(host: Host, region: str, request: Document) -> Document:
    """Terminate a disabled queue's jobs and forget it."""
    with host.turn(is_synced=True) as engine:
        document = host.queues.find(request["jobQueue"])
        if document is None:
            return {}
        if document["state"] != "DISABLED":
            raise ClientError("Cannot delete, resource must be DISABLED before it is deleted")
        name = document["jobQueueName"]
        for job in list(engine.jobs.values()):
            if job.submission.queue == name:
                engine.terminate(job, "Job queue deleted", host.clock.now_ms())
        host.queues.delete(name)
        del engine.scheduler.queues[name]
    return {}


def describe(host: Host, region: str, request: Document) -> Document:
    """Return queues by name or ARN, or all."""
    with host.lock:
        found, token = page(host.queues.named(request.get("jobQueues")), request, most=100)
        return {"jobQueues": [_shown(host, region, document) for document in found], "nextToken": token}


def get(host: Host, name_or_arn: str) -> Document:
    """Return a queue that exists. The caller holds the lock."""
    document = host.queues.find(name_or_arn)
    if document is None:
        raise ClientError(f"JobQueue {short(name_or_arn, 'job-queue')} not found.")
    return document


def schedule(host: Host, document: Document) -> None:
    """Let the scheduler see a queue as its document says; its line of jobs stays."""
    scheduler, name = host.engine.scheduler, document["jobQueueName"]
    order = sorted(document["computeEnvironmentOrder"], key=lambda entry: entry["order"])
    environments = [short(entry["computeEnvironment"], "compute-environment") for entry in order]
    policy = policies.fair_share(host, document.get("schedulingPolicyArn"))
    queue = scheduler.queues.setdefault(name, Queue(name, 0, [], Shares(policy)))
    queue.priority, queue.environments, queue.shares.policy = document["priority"], environments, policy
    actions = document["jobStateTimeLimitActions"]
    queue.time_limits_ms = {each["reason"]: each["maxTimeSeconds"] * 1000 for each in actions}
    scheduler.reconsider()


def _keep(host: Host, name: str, document: Document) -> None:
    _check(host, document)
    host.queues.put(name, document)
    schedule(host, document)


def _check(host: Host, document: Document) -> None:
    if document.get("serviceEnvironmentOrder"):
        raise ClientError("Service environments are not available on the local endpoint")
    order = document.get("computeEnvironmentOrder", [])
    if not 1 <= len(order) <= MAX_ENVIRONMENTS:
        raise ClientError(f"A job queue has between 1 and {MAX_ENVIRONMENTS} compute environments")
    if not 0 <= document["priority"] <= 1000:
        raise ClientError("Job queue priority should be between 0 and 1000")
    places = []
    for entry in order:
        place = host.environments.find(entry["computeEnvironment"])
        if place is None:
            raise ClientError(f"{entry['computeEnvironment']} does not exist")
        places.append(place["computeResources"]["type"].startswith("FARGATE"))
    if len(set(places)) > 1:
        raise ClientError("EC2 and Fargate compute environments may not be mixed in one job queue")
    policy = document.get("schedulingPolicyArn")
    if policy and host.policies.find(policy) is None:
        raise ClientError(f"SchedulingPolicy {policy} not found.")
    for action in document["jobStateTimeLimitActions"]:
        if not 600 <= action["maxTimeSeconds"] <= 86_400:
            raise ClientError("maxTimeSeconds should be between 600 and 86400")


def _shown(host: Host, region: str, document: Document) -> Document:
    order = []
    for entry in document["computeEnvironmentOrder"]:
        place = short(entry["computeEnvironment"], "compute-environment")
        order.append({**entry, "computeEnvironment": host.environments.arn(region, place)})
    return {
        **document,
        "jobQueueArn": host.queues.arn(region, document["jobQueueName"]),
        "computeEnvironmentOrder": order,
        "status": "VALID",
        "statusReason": "JobQueue Healthy",
    }
