"""A pipeline as a scientist writes it: steps, and what each comes after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.errors import InputError, Problem

MAX_DEPENDENCIES = 20  # a job: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
MIN_TIMEOUT_S = 60  # https://docs.aws.amazon.com/batch/latest/APIReference/API_JobTimeout.html
MAX_ATTEMPTS = 10  # https://docs.aws.amazon.com/batch/latest/APIReference/API_RetryStrategy.html
MIN_MEMORY_MIB = 4  # https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
RESERVED_NAMES = {"input", "reference"}
RESERVED_PARAMETERS = ("AWS_BATCH", "PIPELINE_", "BATCH_FILE_")


class Per(StrEnum):
    """How often a step runs: the kind of job, and where its outputs go, follow from it."""

    SAMPLE = "sample"  # child i is sample i; results/…/<step>/<sample>/
    RUN = "run"  # one job over the whole sheet; results/…/<step>/<cohort>/
    REFERENCE = "reference"  # one job, only when absent; beside the reference


@dataclass(frozen=True, eq=False)
class Step:
    """One program over each sample (or once a run), as an array job of AWS Batch.

    `script` is a path from the pipeline file's folder. A script that imports the `steps` library drives its own
    child (see docs/steps.md); any other program finds its `inputs` in its working folder and leaves its `outputs`
    there. `inputs` and `outputs` are templates: "input/{sample}.bam", "reference/genes.gtf", "<step>/<file>".
    `memory_mib` is a hard limit; `timeout_s` is per attempt; `retries` counts further attempts after a failure of the
    program's own: one whose host is taken away is tried again anyway, and wrong data never are.
    `parameters` become variables of the script's environment. `mounts`: "input" as the folder /data_in, "output" as
    /data_out (docs/aws.md), in containers only.
    """

    name: str
    script: str
    after: Sequence[Step] = ()
    per: Per | str = Per.SAMPLE
    image: str = "base"
    vcpus: int = 1
    memory_mib: int = 2048
    timeout_s: int = 6 * 3600
    retries: int = 0
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[str] = ()

    def problems(self) -> list[str]:
        """What is wrong with this step by itself, a sentence each."""
        checks = {
            f"the name {self.name!r} is not lower-case letters, digits, - and _ (at most 40)": NAME.fullmatch(
                self.name
            ),
            f"the name {self.name!r} is taken by the bucket's layout": self.name not in RESERVED_NAMES,
            f"per={str(self.per)!r} is not 'sample', 'run' or 'reference'": self.per in set(Per),
            f"vcpus={self.vcpus} is below 1": self.vcpus >= 1,
            f"memory_mib={self.memory_mib} is below {MIN_MEMORY_MIB}": self.memory_mib >= MIN_MEMORY_MIB,
            f"timeout_s={self.timeout_s} is below {MIN_TIMEOUT_S}": self.timeout_s >= MIN_TIMEOUT_S,
            f"retries={self.retries} is not 0 to {MAX_ATTEMPTS - 1}": 0 <= self.retries < MAX_ATTEMPTS,
            f"mounts={list(self.mounts)} are not 'input' and 'output'": set(self.mounts)
            <= {"input", "output"},
            f"it comes after {len(self.after)} steps; Batch allows {MAX_DEPENDENCIES}": len(self.after)
            <= MAX_DEPENDENCIES,
        }
        return [sentence for sentence, holds in checks.items() if not holds] + [
            f"the parameter {name!r} is reserved"
            for name in self.parameters
            if name.startswith(RESERVED_PARAMETERS)
        ]


@dataclass(frozen=True)
class Pipeline:
    """Steps in the order in which they are submitted; each comes after steps listed before it.

    `files` are further files that the scripts need (a folder's helper modules, an R library), beside the scripts.
    `folder` is where the scripts are: the pipeline file's folder unless given.
    """

    name: str
    steps: Sequence[Step]
    files: Sequence[str] = ()
    folder: Path = Path()

    def check(self) -> None:
        """Every step is well-formed, known, and comes after steps that are listed before it.

        Raises: InputError with all problems at once.
        """
        problems = [
            Problem(
                problem, f"step {step.name!r} of pipeline {self.name!r}", "change it in the pipeline's file"
            )
            for number, step in enumerate(self.steps)
            for problem in [*step.problems(), *self._problems_around(step, self.steps[:number])]
        ]
        if not NAME.fullmatch(self.name):
            problems.append(
                Problem(
                    f"the pipeline's name {self.name!r} is not lower-case letters, digits, - and _ (at most 40)",
                    "the pipeline's name",
                    "rename it in the pipeline's file, or give --pipeline-name",
                )
            )
        if not self.steps:
            problems.append(Problem("the pipeline has no steps", f"pipeline {self.name!r}", "give it a Step"))
        if problems:
            raise InputError(problems)

    def _problems_around(self, step: Step, before: Sequence[Step]) -> Iterable[str]:
        if step.name in {other.name for other in before}:
            yield f"two steps are named {step.name!r}"
        for upstream in step.after:
            if upstream not in before:
                yield f"it comes after {upstream.name!r}, which is not listed before it"
            if step.per == Per.REFERENCE and upstream.per == Per.SAMPLE:
                yield f"a step per reference cannot wait for the samples of {upstream.name!r}"
        for script in (step.script, *self.files):
            path = self.folder / script
            if not path.is_file():
                yield f"its file {script!r} is not in {self.folder}"
            elif not path.resolve().is_relative_to(self.folder.resolve()):
                yield f"its file {script!r} is outside the pipeline's folder {self.folder}"

    def step(self, name: str) -> Step:
        """The step of that name. Raises: KeyError."""
        return {step.name: step for step in self.steps}[name]

    def inputs(self) -> Iterable[tuple[Step, str]]:
        """Each step with each input template that comes from outside: from input/ or reference/."""
        built = {
            f"reference/{output}"
            for step in self.steps
            if step.per == Per.REFERENCE
            for output in step.outputs
        }
        for step in self.steps:
            for template in step.inputs:
                if template.startswith("input/") or (
                    template.startswith("reference/") and template not in built
                ):
                    yield step, template
