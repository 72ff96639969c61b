"""Simulated read pairs: mates of 100 bases, rf-stranded (mate 1 is antisense), one error in a thousand bases."""

import random
from collections.abc import Iterator, Sequence

READ = 100
INSERT_MEAN, INSERT_SD = 200, 25
ERROR_RATE = 0.001
OVERLAP = 35  # bases of a fragment on each side of the breakpoint, at least: more than one k-mer of 31
COMPLEMENT = str.maketrans("ACGT", "TGCA")
OTHERS = {"A": "CGT", "C": "AGT", "G": "ACT", "T": "ACG"}

Pair = tuple[str, str]


def spanning(sequence: str, breakpoint_at: int, count: int, rng: random.Random) -> Iterator[Pair]:
    """Pairs whose fragment crosses the breakpoint."""
    for _ in range(count):
        length = _insert(rng, len(sequence))
        start = breakpoint_at - rng.randint(OVERLAP, length - OVERLAP)
        yield _pair(sequence, min(max(start, 0), len(sequence) - length), length, rng)


def background(sequences: Sequence[str], count: int, rng: random.Random) -> Iterator[Pair]:
    """Pairs from anywhere in the sequences, a longer one giving more."""
    for sequence in rng.choices(sequences, weights=[len(one) for one in sequences], k=count):
        length = _insert(rng, len(sequence))
        yield _pair(sequence, int(rng.random() * (len(sequence) - length + 1)), length, rng)


def _insert(rng: random.Random, at_most: int) -> int:
    return min(max(round(rng.gauss(INSERT_MEAN, INSERT_SD)), READ), at_most)


def _pair(sequence: str, start: int, length: int, rng: random.Random) -> Pair:
    fragment = sequence[start : start + length]
    antisense = fragment[-READ:].translate(COMPLEMENT)[::-1]
    return _with_errors(antisense, rng), _with_errors(fragment[:READ], rng)


def _with_errors(read: str, rng: random.Random) -> str:
    position = int(rng.expovariate(ERROR_RATE))  # the gap to the next error
    while position < len(read):
        read = read[:position] + rng.choice(OTHERS[read[position]]) + read[position + 1 :]
        position += 1 + int(rng.expovariate(ERROR_RATE))
    return read
