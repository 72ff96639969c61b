#!/usr/bin/env python3
"""Run a pipeline over a list of samples as dependent AWS Batch array jobs.

    python main.py --queue QUEUE --bucket-name BUCKET --sample-list-file samples.txt

The pipeline below finds gene fusions in RNA-seq reads. Yours is a file like this one: --pipeline my_pipeline.py
"""

import sys
from pathlib import Path

from pipeline import Pipeline, Step, optional
from pipeline.cli.main import main

index = Step(
    "index",
    "steps/index.py",
    per="reference",
    image="pizzly",
    memory_mib=6144,
    inputs=["reference/transcripts.fa.gz", "reference/transcripts.gtf.gz"],
    outputs=["transcripts.idx", "pizzly.cache"],
)
picard = Step("picard", "steps/picard.py", image="picard", memory_mib=2048, inputs=["input/{sample}.bam"])
kallisto = Step(
    "kallisto",
    "steps/kallisto.py",
    after=[picard, index],
    image="kallisto",
    memory_mib=6144,
    inputs=["reference/transcripts.idx"],
)
pizzly = Step(
    "pizzly",
    "steps/pizzly.py",
    after=[kallisto, index],
    image="pizzly",
    memory_mib=4096,
    inputs=[
        "reference/transcripts.fa.gz",
        "reference/transcripts.gtf.gz",
        optional("reference/pizzly.cache"),
    ],
)
gather = Step("gather", "steps/gather.py", after=[pizzly], per="run", memory_mib=1024)

fusion = Pipeline("fusion", [index, picard, kallisto, pizzly, gather], folder=Path(__file__).parent)

if __name__ == "__main__":
    sys.exit(main(fusion))
