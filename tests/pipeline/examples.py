"""A small pipeline of each kind of step, for the tests of the client."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import Pipeline, Step
from pipeline.model.layout import Layout
from pipeline.model.sheet import SampleSheet
from pipeline.plan.code import Code, pack
from pipeline.plan.fingerprint import fingerprint
from pipeline.plan.plan import Version

LAYOUT = Layout("lab", "toy", "hg38")


def toy(folder: Path, **changes: Any) -> Pipeline:
    """reference → (a per sample) → b per sample, after a and the reference → once over the run; `changes` are to b."""
    for name in ("index.sh", "a.sh", "b.sh", "all.sh"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
    index = Step("index", "index.sh", per="reference", outputs=["genes.idx"])
    a = Step("a", "a.sh", inputs=["input/{sample}.txt"], outputs=["a.txt"])
    of_b: dict[str, Any] = {"after": [a, index], "inputs": ["a/a.txt"], "outputs": ["b.txt"], **changes}
    b = Step("b", "b.sh", **of_b)
    everything = Step("all", "all.sh", after=[b], per="run", inputs=["b/b.txt"], outputs=["all.txt"])
    return Pipeline("toy", [index, a, b, everything], folder=folder)


def sheet_of(*samples: str) -> SampleSheet:
    """A sheet of these samples and no columns."""
    return SampleSheet(("sample",), tuple((sample,) for sample in samples))


def versions_of(
    pipeline: Pipeline, code: Code | None = None, images: Mapping[str, str] | None = None
) -> dict[str, Version]:
    """Every step as its files are now (or as they were packed); `images` gives their contents."""
    code = code or pack(pipeline)
    contents = images or {}
    return {
        step.name: Version(
            fingerprint(step, code.steps[step.name], contents.get(step.image, step.image)),
            code.steps[step.name].script.drives_its_child,
        )
        for step in pipeline.steps
    }
