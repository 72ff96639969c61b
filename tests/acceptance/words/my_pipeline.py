"""Counts words: a small pipeline of each kind of dependency. $GATE is a file that the second step waits to see gone."""

import os

from pipeline import Pipeline, Step

GATE = {"GATE": os.environ["GATE"]} if "GATE" in os.environ else {}

twice = Step("twice", "twice.sh", inputs=["input/{sample}.txt"], outputs=["twice.txt"], memory_mib=64)
count = Step(
    "count",
    "count.sh",
    after=[twice],
    inputs=["twice/twice.txt"],
    outputs=["count.txt"],
    memory_mib=64,
    parameters=GATE,
)
table = Step(
    "table",
    "table.sh",
    after=[count],
    per="run",
    inputs=["count/count.txt"],
    outputs=["all.txt"],
    memory_mib=64,
)
pipeline = Pipeline("words", [twice, count, table])
