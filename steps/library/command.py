"""command: run the user's own program, in any language, under the guarantees of a step.

    steps/library/command.py PROGRAM ARGUMENTS…      PROGRAM is a path inside the zip

in   the step's declared inputs, in the working folder: input/{sample}.txt as input/sample.txt, reference/genes.gtf
     as it is, <step>/<file> as it is; in a step of the whole run every sample's as <step>/<sample>/<file> (and
     input/<sample>/sample.txt), and the sheet's
     declared columns as samples.tsv
in   the environment: SAMPLE, SAMPLE_<COLUMN> for each column that the step declares, VCPUS, MEMORY_MIB
out  the step's declared outputs, left in the working folder, none of them empty
"""

import os
import re
import sys
from pathlib import Path

from fetch_and_run.launch import words_to_run
from steps import Child, main
from steps.library.pin import declared

CODE = Path(__file__).resolve().parents[2]


def command(child: Child) -> None:
    """The program ran over what the step declares, and what it declares is published."""
    program, *arguments = sys.argv[1:]
    fetch_inputs(child)
    os.environ.update(variables(child))
    child.run(*words_to_run(CODE / program), *arguments)
    child.publish(*child.job.outputs, at_least=1)


def fetch_inputs(child: Child) -> None:
    """Each declared input is in the working folder, but for those that are optional and absent."""
    if child.job.scope == "run":
        child.sheet.write(Path("samples.tsv"))
    for one, is_of_every_sample in declared(child.job):
        if is_of_every_sample:
            child.fetch_all(one.path)
        elif child.has(one.path):
            child.fetch(one.path)


def variables(child: Child) -> dict[str, str]:
    """What the program finds in its environment: SAMPLE_LIBRARY_PREP for a column "library prep"."""
    told = {"VCPUS": str(child.vcpus), "MEMORY_MIB": str(child.memory_mib)}
    for column, value in child.columns.items():
        told["SAMPLE_" + re.sub(r"[^A-Z0-9_]", "_", column.upper())] = value
    if child.sample:
        told["SAMPLE"] = child.sample
    return told


if __name__ == "__main__":
    main(command)
