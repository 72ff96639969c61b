"""A small pipeline of each kind of step, for the tests of the client."""

from pathlib import Path

from pipeline import Pipeline, Step
from pipeline.layout import Layout

LAYOUT = Layout("lab", "toy", "hg38")


def toy(folder: Path, **changes: object) -> Pipeline:
    """reference → (a per sample) → b per sample, after a and the reference → once over the run."""
    for name in ("index.sh", "a.sh", "b.sh", "all.sh"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
    index = Step("index", "index.sh", per="reference", outputs=["genes.idx"])
    a = Step("a", "a.sh", inputs=["input/{sample}.txt"], outputs=["a.txt"])
    b = Step("b", "b.sh", after=[a, index], inputs=["a/a.txt"], outputs=["b.txt"], **changes)  # type: ignore[arg-type]
    everything = Step("all", "all.sh", after=[b], per="run", inputs=["b/b.txt"], outputs=["all.txt"])
    return Pipeline("toy", [index, a, b, everything], folder=folder)
