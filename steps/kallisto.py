"""kallisto: quantify one sample's reads and list its fusion candidates.

in   picard      r1.fq.gz, r2.fq.gz, pairs.json   read pairs, rf-stranded
in   reference   transcripts.idx                  kallisto index, k = 31
out  kallisto    fusion.txt                       one candidate a line
out  kallisto    abundance.tsv, run_info.json     one transcript a line; what kallisto counted
out  kallisto    kallisto.log                     its stderr, for MultiQC
"""

import json
from pathlib import Path

from steps import Child, DataError, main
from steps.formats import fusions


def quantify(child: Child) -> None:
    """Every pair that Picard wrote was read, and the candidates are whole."""
    reads = [child.fetch("picard", f"r{mate}.fq.gz") for mate in (1, 2)]
    expected = json.loads(child.fetch("picard", "pairs.json").read_text())["pairs"]
    index = child.reference("transcripts.idx")
    child.run(
        "kallisto", "quant", "-i", index, "-o", ".", "-b", 30, "--fusion", "--rf-stranded", *reads,
        threads=child.vcpus, log="kallisto.log",
    )  # fmt: skip
    processed = json.loads(Path("run_info.json").read_text())["n_processed"]
    if processed != expected:
        raise DataError(f"kallisto read {processed} pairs of the {expected} that picard wrote")
    fusions.check_candidates(Path("fusion.txt"))
    child.publish("fusion.txt", "abundance.tsv", "run_info.json", "kallisto.log", at_least=1)


if __name__ == "__main__":
    main(quantify)
