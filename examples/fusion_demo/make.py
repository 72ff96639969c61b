"""A folder of samples with one planted fusion each, ready to be uploaded to a bucket.

    python -m examples.fusion_demo.make FOLDER [--samples 8] [--pairs 2400] [--seed 1]

    FOLDER/samples.txt                          the sample list
    FOLDER/input/<sample>.bam                   unaligned paired reads
    FOLDER/reference/transcripts.fa.gz|.gtf.gz  the transcripts and their annotation
    FOLDER/truth.tsv                            what was planted

The same arguments make the same bytes.
"""

import argparse
import random
import shutil
import subprocess
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from examples.fusion_demo import annotation
from examples.fusion_demo.fusion import Fusion, plant
from examples.fusion_demo.reads import READ, Pair, background, spanning

SPANNING_PAIRS = 40
PAIRED_MATE_1, PAIRED_MATE_2 = 77, 141  # SAM flags: paired, both unmapped, first or second
TRUTH_COLUMNS = ("sample", "geneA", "geneB", "transcripts", "breakpoint")


def make(folder: Path, *, samples: int = 8, pairs: int = 2400, seed: int = 1) -> None:
    """The folder holds the demo's data."""
    for part in ("input", "reference"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(annotation.FASTA, folder / "reference/transcripts.fa.gz")
    shutil.copyfile(annotation.GTF, folder / "reference/transcripts.gtf.gz")
    transcripts = annotation.read_transcripts()
    fusions = plant(transcripts, samples, random.Random(seed))
    names = [f"patient{number:0{len(str(samples))}}" for number in range(1, samples + 1)]
    sequences = [transcript.sequence for transcript in transcripts]
    for number, (name, fusion) in enumerate(zip(names, fusions, strict=True)):
        rng = random.Random(f"{seed}/{number}")
        planted = spanning(fusion.sequence, fusion.cut, SPANNING_PAIRS, rng)
        rest = background(sequences, pairs - SPANNING_PAIRS, rng)
        write_bam(folder / f"input/{name}.bam", chain(planted, rest))
    (folder / "samples.txt").write_text("".join(f"{name}\n" for name in names))
    _write_truth(folder / "truth.tsv", names, fusions)


def write_bam(path: Path, pairs: Iterable[Pair]) -> None:
    """The BAM holds the pairs, unaligned."""
    quality = "I" * READ
    command = ["samtools", "view", "--bam", "--no-PG", "-o", str(path), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="ascii") as samtools:
        assert samtools.stdin
        samtools.stdin.write("@HD\tVN:1.6\tSO:unsorted\tGO:query\n")
        for number, mates in enumerate(pairs):
            for flag, read in zip((PAIRED_MATE_1, PAIRED_MATE_2), mates, strict=True):
                samtools.stdin.write(f"read{number}\t{flag}\t*\t0\t0\t*\t*\t0\t0\t{read}\t{quality}\n")
    if samtools.returncode:
        raise subprocess.CalledProcessError(samtools.returncode, command)


def _write_truth(path: Path, names: Iterable[str], fusions: Iterable[Fusion]) -> None:
    lines = [TRUTH_COLUMNS]
    for name, fusion in zip(names, fusions, strict=True):
        first, second = fusion.five_prime, fusion.three_prime
        transcripts, position = f"{first.name}-{second.name}", f"{fusion.cut}-{fusion.resume}"
        lines.append((name, first.gene, second.gene, transcripts, position))
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make samples with one planted gene fusion each.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=2400, help="read pairs a sample")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    make(told.folder, samples=told.samples, pairs=told.pairs, seed=told.seed)


if __name__ == "__main__":
    main()
