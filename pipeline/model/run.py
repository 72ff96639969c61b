"""A run as it is pinned in the bucket, before the first submit: all that anyone needs to go on from its URI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from pipeline.errors import InputError, Problem
from pipeline.model.layout import RunKeys, url
from pipeline.model.pipeline import Per

FORMAT = 2  # of run.json; 1 had no format, a sheet read whole by each child, and no account
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


@dataclass(frozen=True, kw_only=True)
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
    environment: Mapping[str, str]
    jobs: tuple[Job, ...]

    @property
    def size(self) -> int:
        return sum(job.size for job in self.jobs)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One pass of a pipeline over a pinned sheet, on one queue of one account and region.

    `sheet_digest` names the samples and all their columns; `samples` counts them, `rows` those that its arrays run
    over. At most `max_parallel` of its children run at a time, whatever their step; None leaves that to the queue.
    """

    id: str
    bucket: str
    queue: str
    queue_arn: str
    region: str
    account: str
    pipeline: str
    reference: str
    input: str
    results: str
    created_at: str
    sheet_digest: str
    samples: int
    rows: int
    steps: tuple[RunStep, ...]
    max_parallel: int | None = None
    format: int = FORMAT

    @property
    def uri(self) -> str:
        return url(self.bucket, self.keys.prefix)

    @property
    def keys(self) -> RunKeys:
        return RunKeys(self.id)

    def step(self, name: str) -> RunStep:
        """The step of that name. Raises: KeyError."""
        return {step.name: step for step in self.steps}[name]

    def to_json(self) -> dict[str, Any]:
        return {"run": self.id, "uri": self.uri, **asdict(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        """The run that `to_json` wrote, here or in a version that wrote more. Raises: InputError for another format."""
        if value.get("format") != FORMAT:
            raise InputError(
                Problem(
                    f"the run's record has format {value.get('format', 1)}; this version reads format {FORMAT}",
                    f"{value.get('uri')}/run.json",
                    "use the version of this program that started it",
                )
            )
        return cls(**{**_known(cls, value), "steps": tuple(_step_from_json(one) for one in value["steps"])})


def _step_from_json(value: Mapping[str, Any]) -> RunStep:
    jobs = tuple(
        Job(**{**_known(Job, job), "after": tuple((name, kind) for name, kind in job["after"])})
        for job in value["jobs"]
    )
    typed = {"after": tuple(value["after"]), "command": tuple(value["command"]), "per": Per(value["per"])}
    return RunStep(**{**_known(RunStep, value), **typed, "jobs": jobs})


def _known(kind: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: value[field.name] for field in fields(kind) if field.name in value}


@dataclass(frozen=True, kw_only=True)
class SubmittedJob:
    """A job that is in the queue."""

    job_id: str
    job_name: str
    size: int
    first_row: int

    def child_id(self, row: int) -> str:
        """The job id of the child of that row of the run."""
        return self.job_id if self.size == 1 else f"{self.job_id}:{row - self.first_row}"

    def row(self, child_id: str) -> int:
        """The row of the run that a child of this job stands for."""
        index = child_id.partition(":")[2]
        return self.first_row + (int(index) if index else 0)


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """What was submitted for a step; it is in the bucket once all of it is."""

    step: str
    jobs: tuple[SubmittedJob, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> JobRecord:
        """The record that `to_json` wrote."""
        return cls(
            step=value["step"], jobs=tuple(SubmittedJob(**_known(SubmittedJob, job)) for job in value["jobs"])
        )

    def job_of_row(self, row: int) -> SubmittedJob | None:
        """The job whose array covers that row; None when none does."""
        return next((job for job in self.jobs if job.first_row <= row < job.first_row + job.size), None)
