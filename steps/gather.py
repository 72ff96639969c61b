"""gather: one table of the whole run's fusions.

in   pizzly   fusions.json   of every sample
out  gather   fusions.tsv    sample, genes, transcripts, breakpoint, split reads and pairs: one fusion a line, sorted
"""

from pathlib import Path

from steps import Child, main
from steps.formats import fusions

COLUMNS = ("sample", "geneA", "geneB", "transcripts", "breakpoint", "split_count", "pair_count")


def gather(child: Child) -> None:
    """Every fusion of every sample is a line of the table."""
    found = child.fetch_all("pizzly/fusions.json")
    rows = [
        (sample, *row)
        for sample, file in found.items()
        for row in fusions.table_rows(fusions.read_genes(file))
    ]
    lines = ["\t".join(row) for row in (COLUMNS, *sorted(rows))]
    Path("fusions.tsv").write_text("\n".join(lines) + "\n")
    child.publish("fusions.tsv", at_least=1)


if __name__ == "__main__":
    main(gather)
