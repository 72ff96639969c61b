"""Puts an endpoint's parts together, with the default queue on the whole machine."""

from __future__ import annotations

from local_batch import compute_environments, consumable_resources, queues
from local_batch.capacity import Capacity
from local_batch.clock import Clock
from local_batch.home import Home, Keyring
from local_batch.host import Host
from local_batch.runners import runner_of
from local_batch.scheduler import Scheduler
from local_batch.settings import Settings
from local_batch.surroundings import Surroundings

DEFAULT = "local"


def assemble(
    home: Home, settings: Settings, keys: Keyring, *, clock: Clock, endpoints: dict[str, str]
) -> Host:
    """Return a host with its queues and environments as they were left, its jobs not yet taken up."""
    surroundings = Surroundings(
        server_id=home.server_id(), region=settings.region, endpoints=endpoints, job_keys=keys.jobs
    )
    scheduler = Scheduler(Capacity(settings.vcpus, settings.memory_mib))
    host = Host(home, scheduler, runner=runner_of(settings.runner), surroundings=surroundings, clock=clock)
    with host.turn():
        _keep_defaults(host, settings)
        for document in host.environments.all():
            compute_environments.schedule(host, document)
        for document in host.queues.all():
            queues.schedule(host, document)
        for document in host.consumables.all():
            consumable_resources.schedule(host, document)
    return host


def _keep_defaults(host: Host, settings: Settings) -> None:
    """Leave a queue and a compute environment called `local`, of this machine's size as it is today."""
    environment = compute_environments.new(
        {
            "computeEnvironmentName": DEFAULT,
            "type": "MANAGED",
            "computeResources": {
                "type": "EC2",
                "minvCpus": 0,
                "maxvCpus": settings.vcpus,
                "instanceTypes": ["optimal"],
                "subnets": [],
                "instanceRole": "local",
            },
        }
    )
    known = host.environments.find(DEFAULT)
    if known is None or known["computeResources"] != environment["computeResources"]:
        host.environments.put(DEFAULT, environment)
    if host.queues.find(DEFAULT) is None:
        order = [{"order": 1, "computeEnvironment": DEFAULT}]
        request = {"jobQueueName": DEFAULT, "priority": 1, "computeEnvironmentOrder": order}
        host.queues.put(DEFAULT, queues.new(request))
