"""Where everything is in the bucket: the only place that spells its keys."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import Per, Step

MARKER = "_SUCCESS.json"


@dataclass(frozen=True)
class Layout:
    """The keys of one pipeline over one reference in one bucket; prefixes have no slash at the end."""

    bucket: str
    pipeline: str
    reference: str
    input_prefix: str = "input"

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def source(self, template: str) -> str:
        """The key of an outside input: "input/…" under the input prefix, "reference/…" under the reference."""
        room, _, name = template.partition("/")
        return f"{self.input_prefix if room == 'input' else self.reference_prefix}/{name}"

    @property
    def reference_prefix(self) -> str:
        return f"reference/{self.reference}"

    @property
    def results(self) -> str:
        return f"results/{self.pipeline}/{self.reference}"

    @property
    def markers(self) -> str:
        """A cache of what the success markers say, each valid while its marker's ETag is the same."""
        return f"{self.results}/_markers.json.gz"

    def output(self, step: Step, cohort: str) -> str:
        """The prefix under which a step publishes; one per sample adds the sample's name."""
        if step.per == Per.REFERENCE:
            return self.reference_prefix
        return f"{self.results}/{step.name}" + (f"/{cohort}" if step.per == Per.RUN else "")

    def place(self, step: Step, cohort: str, sample: str | None) -> str:
        """The prefix of what one child publishes."""
        return self.output(step, cohort) + (f"/{sample}" if step.per == Per.SAMPLE else "")

    def marker(self, step: Step, cohort: str, sample: str | None) -> str:
        """The key of a child's success marker, which is written last."""
        name = f"_SUCCESS.{step.name}.json" if step.per == Per.REFERENCE else MARKER
        return f"{self.place(step, cohort, sample)}/{name}"


def run_prefix(run_id: str) -> str:
    """The prefix of all that is recorded of a run."""
    return f"runs/{run_id}"


def job_record(run_id: str, step: str) -> str:
    """The key of a step's job record: which jobs were submitted for it."""
    return f"{run_prefix(run_id)}/jobs/{step}.json"


def code_key(sha256: str) -> str:
    """The key of a zip of batch-side code."""
    return f"code/{sha256}.zip"
