"""Faults on demand: what AWS does on a bad day, switched on by a call.

A fault is a dictionary with `fault`, one of the names below, and its own members:

    throttle      share (0-1) of calls, 429 TooManyRequestsException; operations (names; all without)
    reclaim       jobs (ids): their Spot instance goes; without, every running job's
    lose-host     the same, in the words of a lost host
    forget        jobs (ids): as seven days after their end
    image-pull    image: attempts of this image cannot start
    slow-s3       share (0-1) of the S3 connections of attempts that start from now on: 503 SlowDown
    clear         all of the above end
"""

from __future__ import annotations

from typing import Any

from local_batch.errors import ClientError
from local_batch.faults import S3, Faults
from local_batch.host import Host
from local_batch.job import LIVE, Job


def inject(host: Host, request: dict[str, Any]) -> dict[str, Any]:
    """Switch a fault on, or let it happen now; return what it met."""
    faults: Faults = host.faults
    match request.get("fault"):
        case "throttle":
            faults.throttled_share = float(request.get("share", 1.0))
            faults.throttled = frozenset(request.get("operations", ()))
        case "reclaim" | "lose-host":
            return {"jobs": _lose(host, request.get("jobs"))}
        case "forget":
            return {"jobs": _forget(host, request.get("jobs", []))}
        case "image-pull":
            faults.images |= {str(request.get("image", ""))}
        case "slow-s3" if S3 in host.surroundings.endpoints:
            faults.slow_down(host.surroundings.endpoints[S3], float(request.get("share", 0.5)))
        case "clear":
            faults.clear()
        case other:
            raise ClientError(
                f"There is no fault {other!r}: throttle, reclaim, lose-host, forget, image-pull, slow-s3 or clear"
            )
    return {}


def _lose(host: Host, ids: list[str] | None) -> list[str]:
    with host.lock:
        units = [unit for job in host.engine.jobs.values() for unit in job.units if unit.status in LIVE]
        lost = [unit for unit in units if ids is None or unit.id in ids or unit.submission.id in ids]
        for unit in lost:
            host.lose(unit)
        return [unit.id for unit in lost]


def _forget(host: Host, ids: list[str]) -> list[str]:
    with host.turn():
        found: list[Job] = [host.engine.jobs[each] for each in ids if each in host.engine.jobs]
        over = [job for job in found if job.is_over]
        for job in over:
            host.forget(job)
        return [job.id for job in over]
