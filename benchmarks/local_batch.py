"""The local AWS Batch against its bars: submit, children a second, dependency latency, DescribeJobs, memory.

python benchmarks/local_batch.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_batch import endpoint

SLOTS = 2
CHILDREN = 3000
LARGE = 10_000
CLIENTS = 32
MIB = 1 << 20
COMMAND = ["/bin/true"]
BARE_LOOP = """
import os, sys, time
count, slots, running, began = int(sys.argv[1]), int(sys.argv[2]), 0, time.perf_counter()
for _ in range(count):
    if running == slots:
        os.wait()
        running -= 1
    if os.fork() == 0:
        os.execv(sys.argv[3], sys.argv[3:])
    running += 1
while running:
    os.wait()
    running -= 1
print(time.perf_counter() - began)
"""


def fork_and_exec() -> float:
    """Return how many of the command a second a bare fork and exec does, from a small process, as many at a time."""
    arguments = [str(CHILDREN), str(SLOTS), COMMAND[0]]
    said = subprocess.run([sys.executable, "-c", BARE_LOOP, *arguments], capture_output=True, check=True)
    return CHILDREN / float(said.stdout)


def submit(batch: Any, size: int, *, after: str | None = None, definition: str = "true") -> str:
    """Submit an array job, each child after its counterpart in `after`."""
    depends_on = [{"jobId": after, "type": "N_TO_N"}] if after else []
    answer = batch.submit_job(
        jobName="benchmark",
        jobQueue=endpoint.QUEUE,
        jobDefinition=definition,
        arrayProperties={"size": size},
        dependsOn=depends_on,
    )
    return str(answer["jobId"])


def wait(batch: Any, job_id: str) -> None:
    """Return when the job has succeeded."""
    while (status := batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"]) != "SUCCEEDED":
        if status == "FAILED":
            raise RuntimeError(f"job {job_id} failed")
        time.sleep(0.05)


def children_a_second(batch: Any) -> float:
    """Return how many children a second one array of the command does."""
    began = time.perf_counter()
    wait(batch, submit(batch, CHILDREN))
    return CHILDREN / (time.perf_counter() - began)


def dependency_latencies_ms(batch: Any) -> list[int]:
    """Return, for each child, the time from the end of its upstream child to its own start."""
    first = submit(batch, 200, definition="nap")
    second = submit(batch, 200, after=first, definition="nap")
    wait(batch, second)
    ended, started = [
        {job["arrayProperties"]["index"]: job[member] for job in children(batch, parent)}
        for parent, member in ((first, "stoppedAt"), (second, "startedAt"))
    ]
    return [started[index] - ended[index] for index in ended]


def children(batch: Any, parent: str) -> list[dict[str, Any]]:
    """Return the summaries of an array's children that succeeded."""
    pages = batch.get_paginator("list_jobs").paginate(arrayJobId=parent, jobStatus="SUCCEEDED")
    return [job for page in pages for job in page["jobSummaryList"]]


def describes_a_second(job_id: str) -> float:
    """Return how many DescribeJobs a second 32 clients get, together."""
    clients = [boto3.client("batch") for _ in range(CLIENTS)]

    def describe(client: Any) -> None:
        for _ in range(30):
            client.describe_jobs(jobs=[job_id])

    threads = [threading.Thread(target=describe, args=(client,)) for client in clients]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CLIENTS * 30 / (time.perf_counter() - began)


def run(home: str) -> None:
    """Measure, and print each figure beside its bar."""
    os.environ["BATCH_PIPELINE_HOME"] = home
    bare = fork_and_exec()
    started = endpoint.start(vcpus=SLOTS)
    os.environ.update(started.environment())
    batch = boto3.client("batch")
    define(batch, "true", COMMAND)
    define(batch, "nap", ["/bin/sleep", "0.02"])
    rate = children_a_second(batch)
    print(f"children a second        {rate:8.0f}   bar 0.5 of fork+exec: {bare:.0f} → {rate / bare:.2f}")
    latencies = dependency_latencies_ms(batch)
    print(
        f"dependency latency, ms   {statistics.median(latencies):8.1f}   bar 20 (median); worst {max(latencies)}"
    )
    large: list[str] = []
    for _ in range(3):
        began = time.perf_counter()
        large.append(submit(batch, LARGE, after=large[-1] if large else None, definition="true"))
        print(f"submit of 10,000, s      {time.perf_counter() - began:8.2f}   bar 1")
    print(f"describes a second       {describes_a_second(large[0]):8.0f}   {CLIENTS} clients")
    process = psutil.Process(endpoint.status().pid)
    print(f"memory, MiB              {process.memory_info().rss / MIB:8.0f}   bar 200, waiting")


def define(batch: Any, name: str, command: list[str]) -> None:
    """Register a job definition of one vCPU."""
    batch.register_job_definition(
        jobDefinitionName=name,
        type="container",
        containerProperties={
            "image": "none",
            "command": command,
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "16"}],
        },
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(folder)
        finally:
            endpoint.stop()
