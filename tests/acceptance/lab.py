"""A lab of the tests: a bucket, a folder with a pipeline's files, and what its runs left."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.command import Answer, run, start
from tests.steps.hostile import NAMES
from tests.waiting import wait_until

PIPELINE = "my_pipeline.py"
LONGEST = 251  # bytes: this S3 takes no key with a part over 255, and the inputs end in .txt
HOSTILE = [
    name.encode()[:LONGEST].decode(errors="ignore")
    for name in ("--help", *NAMES)
    if "\\" not in name  # a sheet refuses it: somewhere it separates folders
]
Listing = dict[str, tuple[str, int, str]]  # key ↔ ETag, size and time


@dataclass(frozen=True)
class Lab:
    """One pipeline, by its own name, over samples of words; `sheet` is the text of its sample sheet."""

    bucket: Bucket
    folder: Path
    name: str

    def bring(self, *samples: str, words: str = "some words of {}", prefix: str = "input") -> None:
        """The sample list has these samples, and each one's input is in the bucket."""
        self.write_sheet("".join(f"{sample}\n" for sample in samples))
        for sample in samples:
            self.bucket.write(f"{prefix}/{sample}.txt", f"{words.format(sample)}\n".encode())

    def write_sheet(self, text: str) -> None:
        (self.folder / "samples.txt").write_text(text)

    def edit(self, file: str, old: str, new: str) -> None:
        """A file of the pipeline says something else now."""
        text = (self.folder / file).read_text()
        assert old in text, text
        (self.folder / file).write_text(text.replace(old, new))

    def words(self, *more: str) -> list[str]:
        """What is typed after `python main.py` to run it."""
        sheet, pipeline = str(self.folder / "samples.txt"), str(self.folder / PIPELINE)
        return [
            *("--queue", "local", "--bucket-name", self.bucket.name, "--sample-list-file", sheet),
            *("--pipeline", pipeline, "--pipeline-name", self.name, *more),
        ]

    def run(self, *more: str) -> Answer:
        return run(*self.words(*more))

    def start(self, *more: str) -> subprocess.Popen[str]:
        return start(*self.words(*more))

    def plan(self) -> dict[str, int]:
        """How many children of each step have something to do."""
        answer = run("plan", *self.words("--json"))
        assert answer.exit_code == 0, answer.stderr
        return {step["name"]: step["todo"] for step in answer.json["steps"]}

    def detach(self, *more: str) -> str:
        """A run goes on without a client; its id."""
        answer = self.run("--detach", "--json", *more)
        assert answer.exit_code == 0, answer.stderr
        return str(answer.json["run"])

    def runs(self) -> list[str]:
        """The ids of its runs: a store may show the folder of one that was taken back for a while."""
        found = self.bucket.objects(f"runs/{self.name}-")
        return sorted(one.key.split("/")[1] for one in found if one.key.endswith("/run.json"))

    def only_run(self) -> str:
        """The id of its only run."""
        [run_id] = self.runs()
        return run_id

    def uri(self, run_id: str) -> str:
        return f"s3://{self.bucket.name}/runs/{run_id}"

    def read(self, key: str, results: str = "results") -> str:
        """A result, as text: its key below the results of the pipeline."""
        body = self.bucket.read(f"{results}/{self.name}/default/{key}")
        assert body is not None, key
        return body.decode()

    def listing(self, prefix: str = "") -> Listing:
        """Everything that is in the bucket, or below a prefix."""
        found = self.bucket.objects(prefix)
        return {one.key: (one.etag, one.size, str(one.modified)) for one in found}

    def marked(self) -> dict[str, str]:
        """The marker of each result, by <step>/<sample>: a child that ran again left another."""
        prefix = f"results/{self.name}/default/"
        return {
            one.key.removeprefix(prefix).rpartition("/")[0]: f"{one.key} {one.etag}"
            for one in self.bucket.objects(prefix)
            if "/_SUCCESS." in one.key and one.size
        }

    def job_names(self, cloud: Cloud) -> list[str]:
        """The jobs of its runs that Batch lists, whatever their state."""
        pages = cloud.batch.get_paginator("list_jobs").paginate(
            jobQueue="local", filters=[{"name": "JOB_NAME", "values": [f"{self.name}-*"]}]
        )
        return sorted(job["jobName"] for page in pages for job in page["jobSummaryList"])

    def named(self, name: str) -> Lab:
        """The same files and samples under another pipeline's name."""
        return replace(self, name=name)


def state(run_id: str) -> str:
    """How a run stands."""
    return str(run("status", run_id, "--json", "--summary").json["state"])


def wait_for_child(run_id: str) -> None:
    """A child of the run is running."""
    wait_until(lambda: "running" in run("status", run_id).stdout)


def wait_for_end(run_id: str) -> None:
    """Every job of the run ended; nobody has closed it."""
    wait_until(lambda: state(run_id) != "RUNNING")
