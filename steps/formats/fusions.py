"""What kallisto and pizzly say of fusions, read and checked: pizzly takes half a list without a word."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steps import DataError

CANDIDATE_COLUMNS = "TYPE\tNAME1\tSEQ1\tKPOS1\tNAME2\tSEQ2\tKPOS2\tINFO\tPOS1\tPOS2"
TABS = {"SPLIT": 9, "PAIR": 10}  # kallisto writes two before a PAIR's empty INFO


def check_candidates(file: Path) -> None:
    """kallisto's fusion.txt has its header and whole lines only. Raises: DataError."""
    text = file.read_text() if file.exists() else ""
    header, *lines = text.split("\n")
    if header != CANDIDATE_COLUMNS or lines[-1:] != [""]:
        raise DataError(
            f"{file} is truncated: it is no list of fusion candidates with a header and whole lines"
        )
    for number, line in enumerate(lines[:-1], start=2):
        if line.count("\t") != TABS.get(line.partition("\t")[0]):
            raise DataError(f"{file} is truncated: line {number} is no whole candidate")


def read_genes(file: Path) -> list[dict[str, Any]]:
    """The fusions in pizzly's JSON, one a pair of genes. Raises: DataError when it is not whole."""
    try:
        genes = json.loads(file.read_text())["genes"]
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise DataError(f"{file} is not pizzly's whole JSON: {error}") from error
    return list(genes)


def table_rows(genes: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A line of fusions.tsv for each pair of genes, with the breakpoint of its best supported transcripts."""
    for gene in genes:
        best = max(gene["transcripts"], key=lambda pair: (pair["support"], pair["fasta_record"]))
        first, second = best["transcriptA"], best["transcriptB"]
        yield (
            gene["geneA"]["name"],
            gene["geneB"]["name"],
            f"{first['id']}-{second['id']}",
            f"{first['endPos']}-{second['startPos']}",
            str(gene["splitcount"]),
            str(gene["paircount"]),
        )
