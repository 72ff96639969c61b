"""A planted fusion: the 5' part of one transcript up to an exon's end, then another from an exon's start."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from examples.fusion_demo.annotation import Transcript

FLANK = 200  # bases on each side, so that fragments fit around the breakpoint
UNIQUE = 31  # next to the breakpoint: one k-mer
NEIGHBOURS = 10_000  # pizzly takes genes closer than this for one transcript read through


@dataclass(frozen=True)
class Fusion:
    """`five_prime` up to `cut`, joined to `three_prime` from `resume` on (positions in the transcripts)."""

    five_prime: Transcript
    three_prime: Transcript
    cut: int
    resume: int

    @property
    def sequence(self) -> str:
        return self.five_prime.sequence[: self.cut] + self.three_prime.sequence[self.resume :]


def plant(transcripts: Sequence[Transcript], count: int, rng: random.Random) -> list[Fusion]:
    """So many fusions, of different genes while there are any, in an order that the seed decides."""
    all_of_them = [
        Fusion(first, second, cut, resume)
        for first, second in permutations(_longest_of_each_gene(transcripts), 2)
        if _apart(first, second)
        for cut in _cuts(first, transcripts)[:1]
        for resume in _resumes(second, transcripts)[:1]
    ]
    rng.shuffle(all_of_them)
    return [all_of_them[number % len(all_of_them)] for number in range(count)]


def _longest_of_each_gene(transcripts: Sequence[Transcript]) -> list[Transcript]:
    by_gene = {one.gene: one for one in sorted(transcripts, key=lambda one: (len(one.sequence), one.name))}
    return [by_gene[gene] for gene in sorted(by_gene)]


def _apart(first: Transcript, second: Transcript) -> bool:
    if first.chromosome != second.chromosome:
        return True
    return max(first.start, second.start) - min(first.end, second.end) > NEIGHBOURS


def _cuts(transcript: Transcript, among: Sequence[Transcript]) -> list[int]:
    sequence = transcript.sequence
    return [
        cut for cut in transcript.borders() if cut >= FLANK and _unique(sequence[cut - UNIQUE : cut], among)
    ]


def _resumes(transcript: Transcript, among: Sequence[Transcript]) -> list[int]:
    sequence = transcript.sequence
    ends = [border for border in transcript.borders() if len(sequence) - border >= FLANK]
    return [border for border in ends if _unique(sequence[border : border + UNIQUE], among)]


def _unique(piece: str, among: Sequence[Transcript]) -> bool:
    """No other transcript, of this gene or of an overlapping one, could be meant."""
    return sum(piece in one.sequence for one in among) == 1
