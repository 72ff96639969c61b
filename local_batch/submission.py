"""SubmitJob: the request and its definition are checked, merged, and become a Submission."""

from __future__ import annotations

import json
import re
from typing import Any

from local_batch import definitions, limits
from local_batch.errors import ClientError, UnavailableError
from local_batch.host import Host
from local_batch.job import ArrayJob, Dependency, Job, Submission
from local_batch.names import check_job_name, new_id, short
from local_batch.shelf import Document

REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")
LOG_GROUP = "/aws/batch/job"
OVERRIDES_TOO_LONG = f"Container Overrides length must be at most {limits.MAX_OVERRIDES}"


def plan(host: Host, request: Document) -> Submission:
    """Return what the request asks for; nothing has changed yet. The caller holds the lock."""
    _check_request(request)
    queue = _queue(host, request)
    definition = definitions.resolve(host, request["jobDefinition"])
    _check_share(request, queue)
    _check_platform(host, definition, queue)
    size = request.get("arrayProperties", {}).get("size")
    depends_on = tuple(
        Dependency(each.get("jobId"), each.get("type")) for each in request.get("dependsOn", ())
    )
    upstreams = _upstreams(host, depends_on, size)
    parameters = {**definition["parameters"], **request.get("parameters", {})}
    overrides = _overrides(request)
    container = _merged(definitions.container_of(definition), overrides, parameters)
    vcpus, memory_mib = limits.resources(container, definition["platformCapabilities"])
    retry = request.get("retryStrategy") or definition.get("retryStrategy") or {"attempts": 1}
    timeout = request.get("timeout") or definition.get("timeout") or {}
    return Submission(
        id=new_id(),
        sequence=host.store.next_sequence(),
        created_at=host.clock.now_ms(),
        name=request["jobName"],
        queue=queue["jobQueueName"],
        definition=f"{definition['jobDefinitionName']}:{definition['revision']}",
        container=container,
        vcpus=vcpus,
        memory_mib=memory_mib,
        depth=1 + max((upstream.submission.depth for upstream in upstreams), default=-1),
        size=size,
        depends_on=depends_on,
        parameters=parameters,
        attempts=retry["attempts"],
        retry_rules=limits.retry_rules(retry),
        timeout_s=timeout.get("attemptDurationSeconds"),
        tags=_tags(request, definition),
        propagate_tags=request.get("propagateTags", definition.get("propagateTags")),
        share=request.get("shareIdentifier"),
        priority=request.get("schedulingPriorityOverride", definition.get("schedulingPriority")) or 0,
        platforms=tuple(definition["platformCapabilities"]),
        resources=_consumables(host, request, definition),
        start_error=_start_error(overrides),
        is_command_added=not definitions.container_of(definition).get("command"),
        **_log_names(container, definition["jobDefinitionName"]),
    )


def _check_request(request: Document) -> None:
    limits.check_size(request, "Job", limits.JOB_KIB)
    check_job_name(request["jobName"])
    for member, what in (
        ("nodeOverrides", "A multi-node job"),
        ("eksPropertiesOverride", "A job on Kubernetes"),
    ):
        if member in request:
            raise UnavailableError(what)
    size = request.get("arrayProperties", {}).get("size")
    if size is not None and not 2 <= size <= limits.MAX_ARRAY:
        raise ClientError(f"Array size must be between 2 and {limits.MAX_ARRAY}, got {size}")
    if len(request.get("dependsOn", ())) > limits.MAX_DEPENDENCIES:
        raise ClientError(f"Job cannot have more than {limits.MAX_DEPENDENCIES} dependencies")
    if "retryStrategy" in request:
        limits.retry_rules(request["retryStrategy"])
    if "timeout" in request:
        limits.check_timeout(request["timeout"])


def _queue(host: Host, request: Document) -> Document:
    queue = host.queues.find(request["jobQueue"])
    if queue is None:
        raise ClientError(f"JobQueue {short(request['jobQueue'], 'job-queue')} not found.")
    if queue["state"] != "ENABLED":
        raise ClientError(f"JobQueue {queue['jobQueueName']} is DISABLED and does not accept jobs")
    return queue


def _check_share(request: Document, queue: Document) -> None:
    is_fair = bool(queue.get("schedulingPolicyArn"))
    if is_fair and not request.get("shareIdentifier"):
        raise ClientError(
            "shareIdentifier must be provided for a job queue with fair share scheduling policy."
        )
    if not is_fair and ("shareIdentifier" in request or "schedulingPriorityOverride" in request):
        raise ClientError(  # the missing blank is AWS's
            "Job with shareIdentifier or schedulingPriority can onlybe submitted to job queue "
            "with fair share scheduling policy."
        )


def _check_platform(host: Host, definition: Document, queue: Document) -> None:
    order = queue["computeEnvironmentOrder"]
    place = host.environments.find(order[0]["computeEnvironment"]) if order else None
    kind = "FARGATE" if place and place["computeResources"]["type"].startswith("FARGATE") else "EC2"
    wanted = definition["platformCapabilities"]
    if kind not in wanted:
        raise ClientError(
            f"Job Queue is attached to Compute Environment that can not run Jobs with capability {wanted[0]}."
        )


def _upstreams(host: Host, depends_on: tuple[Dependency, ...], size: int | None) -> list[Job]:
    found: list[Job] = []
    for dependency in depends_on:
        if dependency.job_id is None:
            if dependency.kind != "SEQUENTIAL":
                raise ClientError("A dependency should have a jobId")
            if size is None:
                raise ClientError("A SEQUENTIAL dependency is for array jobs")
            continue
        upstream = host.engine.find(dependency.job_id)
        if upstream is None:
            raise ClientError(f"Job {dependency.job_id} in dependsOn does not exist")
        if dependency.kind == "N_TO_N":
            _check_n_to_n(upstream, size)
        found.append(upstream)
    return found


def _check_n_to_n(upstream: Job, size: int | None) -> None:
    if size is None or not isinstance(upstream, ArrayJob):
        raise ClientError("An N_TO_N dependency is between two array jobs")
    if upstream.submission.size != size:
        raise ClientError(
            f"An N_TO_N dependency is between arrays of one size: {upstream.id} has {upstream.submission.size} "
            f"children, this job {size}"
        )


def _overrides(request: Document) -> Document:
    if "ecsPropertiesOverride" in request:
        tasks = request["ecsPropertiesOverride"].get("taskProperties", [])
        containers = [container for task in tasks for container in task.get("containers", [])]
        return containers[0] if containers else {}
    overrides: Document = request.get("containerOverrides", {})
    return overrides


def _merged(container: Document, overrides: Document, parameters: dict[str, str]) -> Document:
    limits.check_environment(overrides.get("environment", []))
    limits.check_command(overrides.get("command", []))
    if container.get("secrets"):
        raise UnavailableError("A secret of Secrets Manager or Parameter Store")
    merged = {**container, "environment": _joined("name", container, overrides, "environment")}
    merged["resourceRequirements"] = _joined("type", container, overrides, "resourceRequirements")
    if not container.get("resourceRequirements"):
        merged |= {key: overrides[key] for key in ("vcpus", "memory") if key in overrides}
    if "instanceType" in overrides:
        merged["instanceType"] = overrides["instanceType"]
    words = overrides.get("command") or container.get("command", [])
    merged["command"] = [_substituted(word, parameters) for word in words]
    return merged


def _joined(key: str, container: Document, overrides: Document, member: str) -> list[dict[str, str]]:
    """Return a list member with the overrides' entries in place of those of the same name, and the new ones after."""
    entries = {
        entry[key]: entry
        for entry in [*container.get(member, []), *overrides.get(member, [])]
        if key in entry
    }
    return list(entries.values())


def _substituted(word: str, parameters: dict[str, str]) -> str:
    def value(reference: re.Match[str]) -> str:
        if reference[1] not in parameters:
            raise ClientError(f"Unable to substitute value. No parameter found for reference {reference[1]}")
        return parameters[reference[1]]

    return REFERENCE.sub(value, word)


def _start_error(overrides: Document) -> str | None:
    length = len(json.dumps({key: overrides.get(key) for key in ("command", "environment")}))
    return OVERRIDES_TOO_LONG if length > limits.MAX_OVERRIDES else None


def _tags(request: Document, definition: Document) -> dict[str, str]:
    inherited = definition["tags"] if request.get("propagateTags") else {}
    return {**inherited, **request.get("tags", {})}


def _consumables(host: Host, request: Document, definition: Document) -> tuple[tuple[str, int], ...]:
    stated = (
        request.get("consumableResourcePropertiesOverride")
        or definition.get("consumableResourceProperties")
        or {}
    )
    wanted = []
    for entry in stated.get("consumableResourceList", []):
        name = short(entry["consumableResource"], "consumable-resource")
        if host.consumables.find(name) is None:
            raise ClientError(f"ConsumableResource {name} not found.")
        wanted.append((name, entry["quantity"]))
    return tuple(wanted)


def _log_names(container: Document, definition: str) -> dict[str, Any]:
    options = container.get("logConfiguration", {}).get("options", {})
    return {
        "log_group": options.get("awslogs-group", LOG_GROUP),
        "log_prefix": options.get("awslogs-stream-prefix", definition[:200]),
    }
