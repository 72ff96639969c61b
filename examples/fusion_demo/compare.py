"""The fusions that were planted against those that were called, as a table.

    python -m examples.fusion_demo.compare truth.tsv fusions.tsv

Exit code 0: every planted fusion was called and nothing else; 1: one is missing, or one is false.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

Fusion = tuple[str, str, str]  # sample, 5' gene, 3' gene
HEADER = ("sample", "planted", "called", "breakpoint", "reads", "")


def compare(truth: Path, called: Path) -> tuple[list[tuple[str, ...]], bool]:
    """The table's lines, and whether what was called is what was planted."""
    planted, found = _read(truth), _read(called)
    lines = [_line(fusion, planted.get(fusion), found.get(fusion)) for fusion in sorted(planted | found)]
    return lines, planted.keys() == found.keys()


def draw(lines: Sequence[Sequence[str]]) -> str:
    """The lines in columns of equal width, and below them the count of what was found, missed and made up."""
    table = [HEADER, *lines]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADER))]
    drawn = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    missing, false = (sum(line[-1] == word for line in lines) for word in ("MISSING", "FALSE"))
    planted = len(lines) - false
    return "\n".join(
        [*drawn, "", f"{planted - missing} of {planted} planted fusions called, {false or 'none'} false"]
    )


def _read(path: Path) -> dict[Fusion, dict[str, str]]:
    with path.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["sample"], row["geneA"], row["geneB"]): row for row in rows}


def _line(fusion: Fusion, planted: dict[str, str] | None, called: dict[str, str] | None) -> tuple[str, ...]:
    sample, *genes = fusion
    name = "-".join(genes)
    if not called:
        return sample, name, "", "", "", "MISSING"
    reads = f"{called['split_count']} split, {called['pair_count']} pairs"
    if not planted:
        return sample, "", name, called["breakpoint"], reads, "FALSE"
    exact = planted["breakpoint"] == called["breakpoint"]
    verdict = "exact" if exact else f"planted at {planted['breakpoint']}"
    return sample, name, name, called["breakpoint"], reads, verdict


def main() -> int:
    """The command line."""
    truth, called = map(Path, sys.argv[1:])
    lines, right = compare(truth, called)
    print(draw(lines))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
