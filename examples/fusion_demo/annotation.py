"""Real human transcripts with their exons, from Debian's kallisto-examples."""

import gzip
import re
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path("/usr/share/doc/kallisto/test")
FASTA = SOURCE / "transcripts.fasta.gz"
GTF = SOURCE / "transcripts.gtf.gz"


@dataclass
class Transcript:
    """A spliced transcript; `exon_lengths` are in transcript order, so their sums are its exon borders.

    `start` and `end` are those of its whole gene: by these pizzly tells how far two genes are apart.
    """

    name: str
    gene: str
    chromosome: str
    start: int
    end: int
    sequence: str = ""
    exon_lengths: list[int] = field(default_factory=list)

    def borders(self) -> list[int]:
        """Positions between two exons: the sequence up to there ends with an exon."""
        return [sum(self.exon_lengths[:count]) for count in range(1, len(self.exon_lengths))]


def read_transcripts() -> list[Transcript]:
    """The protein-coding transcripts that have a sequence, in the annotation's order."""
    transcripts = _read_gtf()
    for name, sequence in _read_fasta().items():
        if name in transcripts:
            transcripts[name].sequence = sequence
    return [one for one in transcripts.values() if len(one.sequence) == sum(one.exon_lengths)]


def _read_gtf() -> dict[str, Transcript]:
    """Protein-coding transcripts by name; a transcript's exons follow it in transcript order, as in Ensembl's files."""
    found: dict[str, Transcript] = {}
    spans: dict[str, tuple[int, int]] = {}
    for line in _lines(GTF):
        if line.startswith("#"):
            continue
        chromosome, _, kind, start, end, *_, text = line.split("\t")
        told = dict(re.findall(r'(\w+) "([^"]*)"', text))
        if kind == "gene":
            spans[told["gene_id"]] = int(start), int(end)
        if told["gene_biotype"] != "protein_coding" or told.get("transcript_biotype") != "protein_coding":
            continue
        name = f"{told['transcript_id']}.{told['transcript_version']}"
        if kind == "transcript":
            found.setdefault(name, Transcript(name, told["gene_name"], chromosome, *spans[told["gene_id"]]))
        elif kind == "exon":
            found[name].exon_lengths.append(int(end) - int(start) + 1)
    return found


def _read_fasta() -> dict[str, str]:
    sequences: dict[str, str] = {}
    name = ""
    for line in _lines(FASTA):
        if line.startswith(">"):
            name = line[1:].split()[0]
            sequences[name] = ""
        else:
            sequences[name] += line
    return sequences


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()
