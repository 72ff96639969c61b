"""A pipeline as a scientist writes it: steps, and what each comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from steps.library.contract import Input


class Per(StrEnum):
    """How often a step runs: the kind of job, and where its outputs go, follow from it."""

    SAMPLE = "sample"  # child i is sample i; results/…/<step>/<sample>/
    RUN = "run"  # one job over the whole sheet; results/…/<step>/<cohort>/
    REFERENCE = "reference"  # one job, only when absent; beside the reference


def optional(path: str) -> Input:
    """An input that need not be there; the result depends on whether it is."""
    return Input(path, is_optional=True)


@dataclass(frozen=True, eq=False)
class Step:
    """One program over each sample (or once a run), as an array job of AWS Batch.

    `script` is a path from the pipeline file's folder. A script that imports the `steps` library drives its own
    child (see docs/steps.md); any other program finds its `inputs` in its working folder and leaves its `outputs`
    there. `inputs` and `outputs` are templates: "input/{sample}.bam", "reference/genes.gtf", "<step>/<file>".
    `columns` names the columns of the sheet that the program sees, and so depends on.
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
    inputs: Sequence[str | Input] = ()
    outputs: Sequence[str] = ()
    columns: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[str] = ()

    @property
    def declared(self) -> tuple[Input, ...]:
        """The inputs, each as an Input."""
        return tuple(Input(one) if isinstance(one, str) else one for one in self.inputs)

    @property
    def used_columns(self) -> tuple[str, ...]:
        """The columns that its results depend on: those it declares, and those that its inputs name."""
        named = [column for one in self.declared for column in one.columns]
        return tuple(dict.fromkeys([*self.columns, *named]))


@dataclass(frozen=True)
class Pipeline:
    """Steps in the order in which they are submitted; each comes after steps listed before it.

    `files` are further files that the scripts need (an R library, a table), beside the scripts; the modules that a
    Python script imports come along by themselves. `folder` is where they are: the pipeline file's unless given.
    """

    name: str
    steps: Sequence[Step]
    files: Sequence[str] = ()
    folder: Path = Path()

    def step(self, name: str) -> Step:
        """The step of that name. Raises: KeyError."""
        return {step.name: step for step in self.steps}[name]

    def outside_inputs(self) -> Iterable[tuple[Step, Input]]:
        """Each step with each input that comes from outside: from input/, or from reference/ where no step makes it."""
        built = {
            f"reference/{output}"
            for step in self.steps
            if step.per == Per.REFERENCE
            for output in step.outputs
        }
        for step in self.steps:
            for one in step.declared:
                if one.room == "input" or (one.room == "reference" and one.path not in built):
                    yield step, one
