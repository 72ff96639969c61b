"""A run as it is pinned in the bucket, before the first submit: all that anyone needs to go on from its URI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.layout import run_prefix
from pipeline.model import Per

DependencyType = Literal["N_TO_N"] | None


@dataclass(frozen=True)
class Job:
    """One SubmitJob request to be: an array of `size` children over rows `first_row`…, or a plain job of size 1.

    `after` names the jobs that it depends on, each with the dependency's type.
    """

    name: str
    size: int
    first_row: int
    after: tuple[tuple[str, DependencyType], ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class RunStep:
    """One step of a run; no jobs when nothing of it has to run. `done` counts results that stood already.

    `output` is the URL under which it publishes; a step per sample adds the sample's name.
    """

    name: str
    per: Per
    after: tuple[str, ...]
    done: int
    output: str
    memory_mib: int
    fingerprint: str
    definition: Mapping[str, Any]
    command: tuple[str, ...]
    jobs: tuple[Job, ...]

    @property
    def size(self) -> int:
        return sum(job.size for job in self.jobs)


@dataclass(frozen=True)
class Run:
    """One pass of a pipeline over a pinned sheet; `work` is the key of the rows that its arrays run over.

    At most `max_parallel` of its children run at a time, whatever their step; None leaves that to the queue.
    """

    id: str
    bucket: str
    queue: str
    pipeline: str
    reference: str
    created_at: str
    cohort: str
    sheet: str
    work: str
    steps: tuple[RunStep, ...]
    max_parallel: int | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{run_prefix(self.id)}"

    @property
    def prefix(self) -> str:
        return run_prefix(self.id)

    def to_json(self) -> dict[str, Any]:
        return {"run": self.id, "uri": self.uri, **asdict(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        """The run that `to_json` wrote."""
        fields = {name: value[name] for name in cls.__dataclass_fields__ if name != "steps"}
        return cls(**fields, steps=tuple(_step_from_json(step) for step in value["steps"]))


def _step_from_json(value: Mapping[str, Any]) -> RunStep:
    jobs = tuple(
        Job(**{**job, "after": tuple((name, kind) for name, kind in job["after"])}) for job in value["jobs"]
    )
    sequences = {"after": tuple(value["after"]), "command": tuple(value["command"]), "jobs": jobs}
    return RunStep(**{**value, **sequences, "per": Per(value["per"])})
