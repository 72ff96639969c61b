"""The client at size, on the embedded endpoint's S3 and Batch: seconds, peak memory and API calls of each command.

    python -m benchmarks.scale [--samples 100000]

Three steps a sample. Nothing runs in the first part (its children wait for memory that the machine does not have): what
is measured is the client that plans, submits, asks and cancels. `nothing to do` is over results that stand. `close`
reads a Batch that answers without running, `pipeline.cloud.stub_batch`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cloud import local
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud

ROOT = Path(__file__).parent.parent
MIB = 2**20
PIPELINE = """from pipeline import Pipeline, Step

a = Step("a", "copy.sh", inputs=["input/{sample}.txt"], outputs=["out.txt"], memory_mib=%(memory)d)
b = Step("b", "copy.sh", after=[a], inputs=["a/out.txt"], outputs=["out.txt"], memory_mib=%(memory)d)
c = Step("c", "copy.sh", after=[b], inputs=["b/out.txt"], outputs=["out.txt"], memory_mib=%(memory)d)
pipeline = Pipeline("scale", [a, b, c])
"""
STEPS = ("a", "b", "c")
IN_FLIGHT = 32
LOOK_EVERY_S = 0.01
TOO_MUCH_MIB = 99_999_999


@dataclass(frozen=True)
class Measured:
    """One command: its answer, wall seconds and peak resident memory."""

    stdout: str
    stderr: str
    seconds: float
    peak_mib: float


def measure(*words: str) -> Measured:
    """A command of this program, run to its end in a process of its own. Raises: SystemExit where it failed."""
    started, peak_mib = time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = subprocess.Popen(
            [sys.executable, *words], stdout=out, stderr=err, cwd=ROOT, env=environment
        )
        while process.poll() is None:
            peak_mib = max(peak_mib, _peak_mib(process.pid))
            time.sleep(LOOK_EVERY_S)
        seconds = time.monotonic() - started
        out.seek(0), err.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} failed:\n{err.read()}")
        return Measured(out.read(), err.read(), seconds, peak_mib)


def _peak_mib(pid: int) -> float:
    """The most memory that a process has had, by its own page tables: wait4 counts its parent's before the exec."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0.0)


def show(what: str, got: Measured, bar: str = "") -> None:
    """One line of the report."""
    print(f"{what:<42} {got.seconds:7.2f} s  {got.peak_mib:6.0f} MiB  {bar}", flush=True)


def write_pipeline(folder: Path, memory_mib: int) -> Path:
    """The pipeline's file, with its one script beside it."""
    folder.mkdir()
    (folder / "copy.sh").write_text("#!/bin/sh\nset -eu\ncat */*.txt > out.txt\n")
    file = folder / "pipeline.py"
    file.write_text(PIPELINE % {"memory": memory_mib})
    return file


def names(count: int) -> list[str]:
    return [f"sample-{number:06d}" for number in range(count)]


def fill(bucket: Bucket, samples: list[str]) -> None:
    """An input of each sample is in the bucket; many at once."""
    from fetch_and_run import s3

    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        urls = (bucket.url(f"input/{sample}.txt") for sample in samples)
        list(threads.map(lambda url: s3.write(url, b"words\n"), urls, chunksize=100))


def publish(bucket: Bucket, file: Path, samples: list[str]) -> None:
    """Every result stands, as children of the pipeline would have left it."""
    from fetch_and_run import s3
    from pipeline.images.site import describe_site
    from pipeline.plan.code import pack
    from pipeline.plan.fingerprint import fingerprint
    from pipeline.plan.load import load_pipeline
    from steps.library.contract import Found, MarkerName, due, made

    pipeline = load_pipeline(file)
    code, site = pack(pipeline), describe_site(Cloud(local.start()), None, {"base"})
    prints = {
        step.name: fingerprint(step, code.steps[step.name], site.contents["base"]) for step in pipeline.steps
    }

    def one(sample: str) -> None:
        stored = s3.describe(bucket.url(f"input/{sample}.txt"))
        assert stored is not None
        name, found = "input/sample.txt", Found(stored.etag, stored.size)
        for step in STEPS:
            place = bucket.url(f"results/scale/default/{step}/{sample}")
            s3.write(f"{place}/out.txt", b"words\n")
            wanted = due(prints[step], {}, {name: found})
            out = s3.describe(f"{place}/out.txt")
            assert out is not None
            found = Found(out.etag, out.size)
            files = {"out.txt": {"etag": out.etag, "size": out.size}}
            s3.write(
                f"{place}/{MarkerName(None, wanted, made({'out.txt': found}))}",
                json.dumps({"files": files}).encode(),
            )
            name = f"{step}/out.txt"

    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        list(threads.map(one, samples))


@contextmanager
def sample_list(folder: Path, samples: list[str]) -> Iterator[str]:
    """A sample list's path."""
    path = folder / f"{len(samples)}.txt"
    path.write_text("\n".join(samples) + "\n")
    yield str(path)


def command(bucket: Bucket, file: Path, listed: str) -> list[str]:
    """The words of `run`."""
    where = ["--queue", "local", "--bucket-name", bucket.name, "--pipeline", str(file)]
    return ["main.py", "run", *where, "--sample-list-file", listed]


def time_waiting(bucket: Bucket, folder: Path, count: int) -> None:
    """Plan, submit, ask and cancel a run of so many samples of which nothing can start."""
    file = write_pipeline(folder / "waits", TOO_MUCH_MIB)
    with sample_list(folder, names(count)) as listed:
        show(f"plan of {count} × 3", measure("main.py", "plan", *command(bucket, file, listed)[2:], "--json"))
        submitted = measure(*command(bucket, file, listed), "--detach")
        show(f"plan + submit of {count} × 3", submitted, "bar: 200 MiB, 30 SubmitJob at 100,000")
        run = submitted.stdout.strip()
        asked = measure("main.py", "status", run, "--queue", "local")
        show("status", asked, "bar: 3 s")
        print("    " + asked.stderr.partition("\n")[0])
        summary: Any = json.loads(
            measure("main.py", "status", run, "--queue", "local", "--json", "--summary").stdout
        )
        print(f"    SubmitJob calls: {sum(len(step['job_ids']) for step in summary['steps'])}")
        show("status --json, every child", measure("main.py", "status", run, "--queue", "local", "--json"))
        show("cancel", measure("main.py", "cancel", run, "--queue", "local"))


def time_nothing_to_do(bucket: Bucket, folder: Path, file: Path, count: int, bar: str) -> None:
    """The same command where every result stands."""
    with sample_list(folder, names(count)) as listed:
        got = measure(*command(bucket, file, listed))
        assert "nothing to do" in got.stderr, got.stderr
        show(f"nothing to do, {count} × 3", got, bar)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=100_000)
    count = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as home:
        os.environ["BATCH_PIPELINE_HOME"] = home
        endpoint = local.start("process")
        os.environ.update(endpoint.environment())
        try:
            _measure_all(Cloud(endpoint), Path(home), count)
        finally:
            local.stop()


def _measure_all(cloud: Cloud, home: Path, count: int) -> None:
    folder = home / "benchmark"
    folder.mkdir()
    stands, waits = Bucket(cloud, "stands"), Bucket(cloud, "waits")
    for bucket in (stands, waits):
        bucket.create()
    some = names(min(count, 10_000))
    fill(stands, some)
    file = write_pipeline(folder / "stands", 64)
    publish(stands, file, some)
    time_nothing_to_do(stands, folder, file, len(some), "bar: 5 s at 10,000")
    time_nothing_to_do(stands, folder, file, len(some) // 10, f"among those of {len(some)}")
    few = Bucket(cloud, "few")
    few.create()
    fill(few, some[:1000])
    publish(few, file, some[:1000])
    time_nothing_to_do(few, folder, file, len(some[:1000]), "bar: 1.0 s at 1,000")
    closed = measure("-m", "benchmarks._close", str(len(some)))
    show(f"plan, pin, submit and close of {len(some)} × 3", closed, "bar: 200 MiB")
    print("    " + closed.stdout.strip())
    fill(waits, names(count))
    time_waiting(waits, folder, count)


if __name__ == "__main__":
    main()
