"""GetJobQueueSnapshot: the head of a queue and what it uses."""

from __future__ import annotations

from local_batch import queues
from local_batch.host import Host
from local_batch.job import LIVE
from local_batch.names import arn
from local_batch.shelf import Document

MAX_SHOWN = 100


def snapshot(host: Host, region: str, request: Document) -> Document:
    """Return a queue's first 100 RUNNABLE jobs and the vCPUs that its jobs use."""
    with host.lock:
        name = queues.get(host, request["jobQueue"])["jobQueueName"]
        queue, now = host.engine.scheduler.queues[name], host.clock.now_ms()
        units = [
            unit for job in host.engine.jobs.values() if job.submission.queue == name for unit in job.units
        ]
        used = sum(unit.submission.vcpus for unit in units if unit.status in LIVE)
        first = [
            {"jobArn": arn(region, f"job/{job.id}"), "earliestTimeAtPosition": job.submission.created_at}
            for job in queue.shares.first(MAX_SHOWN)
        ]
        shares = [
            {"shareIdentifier": share, "capacityUsage": _usage(queue.shares.by_name[share].running_vcpus)}
            for share in queue.shares.active()
            if share
        ]
        utilization: Document = {"totalCapacityUsage": _usage(used), "lastUpdatedAt": now}
        if queue.shares.policy is not None:
            utilization["fairshareUtilization"] = {
                "activeShareCount": len(shares),
                "topCapacityUtilization": shares,
            }
        return {"frontOfQueue": {"jobs": first, "lastUpdatedAt": now}, "queueUtilization": utilization}


def _usage(vcpus: float) -> list[Document]:
    return [{"capacityUnit": "VCPU", "quantity": vcpus}]
