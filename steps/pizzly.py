"""pizzly: keep the fusion candidates that the genes' annotation makes plausible.

in   kallisto    fusion.txt                                fusion candidates
in   reference   transcripts.fa.gz, transcripts.gtf.gz     sequences, and genes with exons in transcript order
in   reference   pizzly.cache                              the annotation as pizzly keeps it, when there
out  pizzly      fusions.json, fusions.fasta               fusions by pair of genes, and their sequences
out  pizzly      unfiltered.json, unfiltered.fasta         the same before pizzly's filters
"""

from pathlib import Path

from steps import Child, main
from steps.formats import fusions

# Without the first, SeqAn asks its home for a newer version, from every child, and aborts where HOME is not set.
OPTIONS = ("--version-check", 0, "-k", 31, "--align-score", 2, "--insert-size", 400)
OUTPUTS = {
    "fusions.json": "pizzly.json",
    "fusions.fasta": "pizzly.fusions.fasta",
    "unfiltered.json": "pizzly.unfiltered.json",
    "unfiltered.fasta": "pizzly.unfiltered.fusions.fasta",
}


def filter_fusions(child: Child) -> None:
    """The whole list of candidates was filtered."""
    candidates = child.fetch("kallisto", "fusion.txt")
    fusions.check_candidates(candidates)
    transcripts = child.reference("transcripts.fa.gz")
    genes = child.reference("transcripts.gtf.gz")
    cached = child.has_reference("pizzly.cache")
    cache = ("--cache", child.reference("pizzly.cache")) if cached else ()
    child.run(
        "pizzly", *OPTIONS, "--gtf", genes, *cache, "--fasta", transcripts, "--output", "pizzly", candidates,
    )  # fmt: skip
    for name, made in OUTPUTS.items():
        Path(made).rename(name)
    fusions.read_genes(Path("fusions.json"))
    child.publish("fusions.json", "unfiltered.json", at_least=1)
    child.publish("fusions.fasta", "unfiltered.fasta")


if __name__ == "__main__":
    main(filter_fusions)
