"""Where everything is in the bucket: the only place that spells its keys. Prefixes have no slash at the end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pipeline.model.pipeline import Per, Step
from steps.library.contract import chunk_name

RUNS = "runs"
RESULTS = "results"
OPEN = f"{RUNS}/_open"


def url(bucket: str, key: str) -> str:
    """The s3:// URL of a key or a prefix."""
    return f"s3://{bucket}/{key}"


def code_key(sha256: str) -> str:
    """The key of a zip of batch-side code."""
    return f"code/{sha256}.zip"


@dataclass(frozen=True)
class Layout:
    """One results tree: what one pipeline makes over one reference, from one input place, in one bucket."""

    bucket: str
    pipeline: str
    reference: str
    input_prefix: str = "input"
    results_prefix: str = RESULTS

    def url(self, key: str) -> str:
        return url(self.bucket, key)

    @property
    def input_url(self) -> str:
        """The input place."""
        return self.url(self.input_prefix)

    def source(self, path: str) -> str:
        """The key of an outside input: "input/…" under the input prefix, "reference/…" under the reference."""
        room, _, name = path.partition("/")
        return f"{self.input_prefix if room == 'input' else self.reference_prefix}/{name}"

    @property
    def reference_prefix(self) -> str:
        return f"reference/{self.reference}"

    @property
    def results(self) -> str:
        return f"{self.results_prefix}/{self.pipeline}/{self.reference}"

    @property
    def tree_record(self) -> str:
        """Says which input place the tree belongs to; written once."""
        return f"{self.results}/_tree.json"

    @property
    def claims(self) -> str:
        """The prefix of the numbered claims of the runs in this tree, ending in a slash."""
        return claims_of(self.url(self.results))

    def claim(self, number: int) -> str:
        """The key of a claim: whoever writes it first has it."""
        return f"{self.claims}{number:08d}.json"

    def output(self, step: Step, cohort: str) -> str:
        """The prefix under which a step publishes; one per sample adds the sample's name."""
        if step.per == Per.REFERENCE:
            return self.reference_prefix
        return f"{self.results}/{step.name}" + (f"/{cohort}" if step.per == Per.RUN else "")

    def place(self, step: Step, cohort: str, sample: str | None) -> str:
        """The prefix of what one child publishes."""
        return self.output(step, cohort) + (f"/{sample}" if step.per == Per.SAMPLE else "")


def claims_of(results: str) -> str:
    """The prefix of the claims of the runs in the results tree at that URL, ending in a slash."""
    return f"{OPEN}/{hashlib.sha256(results.encode()).hexdigest()[:16]}/"


@dataclass(frozen=True)
class RunKeys:
    """The keys of one run's records."""

    run_id: str

    @property
    def prefix(self) -> str:
        return f"{RUNS}/{self.run_id}"

    @property
    def run(self) -> str:
        return f"{self.prefix}/run.json"

    @property
    def sheet(self) -> str:
        """The whole sample sheet, pinned."""
        return f"{self.prefix}/samples.tsv"

    @property
    def rows(self) -> str:
        """The folder of the chunks of rows that the arrays go over."""
        return f"{self.prefix}/rows"

    def chunk(self, number: int) -> str:
        return f"{self.rows}/{chunk_name(number)}"

    def job_record(self, step: str) -> str:
        """Which jobs were submitted for a step."""
        return f"{self.prefix}/jobs/{step}.json"

    def turn(self, number: int) -> str:
        """A turn at submitting: whoever writes it first has it."""
        return f"{self.prefix}/turns/{number:05d}.json"

    @property
    def turns(self) -> str:
        return f"{self.prefix}/turns/"

    @property
    def cancelled(self) -> str:
        return f"{self.prefix}/cancelled.json"

    def failure(self, step: str, child: str) -> str:
        """What a failed child wrote down of itself."""
        return f"{self.prefix}/failures/{step}/{child}/failure.json"

    @property
    def failed(self) -> str:
        """The failed samples, as a sample list again."""
        return f"{self.prefix}/failed.txt"

    @property
    def ledger(self) -> str:
        return f"{self.prefix}/ledger.tsv.gz"

    @property
    def summary(self) -> str:
        """Written last: a run that has one is closed."""
        return f"{self.prefix}/summary.json"


def run_of_url(text: str) -> tuple[str, str]:
    """The bucket and the run's id of a run's s3:// URI."""
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return bucket, key.strip("/").removeprefix(f"{RUNS}/").partition("/")[0]
