"""index: build what kallisto and pizzly need of a reference, once.

in   reference   transcripts.fa.gz, transcripts.gtf.gz   transcript sequences and their annotation
out  reference   transcripts.idx                         kallisto index, k = 31
out  reference   pizzly.cache                            the annotation as pizzly keeps it
"""

from pathlib import Path

from steps import Child, main, pizzly
from steps.formats import fusions


def index(child: Child) -> None:
    """The reference has its index and its cache."""
    transcripts = child.reference("transcripts.fa.gz")
    genes = child.reference("transcripts.gtf.gz")
    child.run("kallisto", "index", "-k", 31, "-i", "transcripts.idx", transcripts)
    none = Path("none.txt")
    none.write_text(fusions.CANDIDATE_COLUMNS + "\n")  # pizzly writes its cache on the way to no fusions
    child.run(
        "pizzly", *pizzly.OPTIONS, "--gtf", genes, "--cache", "pizzly.cache", "--fasta", transcripts,
        "--output", "pizzly", none,
    )  # fmt: skip
    child.publish("transcripts.idx", "pizzly.cache", at_least=1)


if __name__ == "__main__":
    main(index)
