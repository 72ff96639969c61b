"""The demo's data are the same bytes each time, and the comparison tells right from wrong."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from examples.fusion_demo import annotation
from examples.fusion_demo.compare import compare, draw
from examples.fusion_demo.fusion import NEIGHBOURS, plant
from examples.fusion_demo.make import make
from tests.fetch_and_run.s3_server import ROOT

pytestmark = pytest.mark.skipif(not annotation.FASTA.exists(), reason="needs kallisto-examples")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    make(tmp_path / "a", samples=2, pairs=100)
    make(tmp_path / "b", samples=2, pairs=100)
    make(tmp_path / "c", samples=2, pairs=100, seed=2)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a")["truth.tsv"] != digests(tmp_path / "c")["truth.tsv"]


def test_a_folder_holds_what_a_run_needs(tmp_path: Path) -> None:
    make(tmp_path, samples=3, pairs=100)
    assert sorted(digests(tmp_path)) == [
        "input/patient1.bam",
        "input/patient2.bam",
        "input/patient3.bam",
        "reference/transcripts.fa.gz",
        "reference/transcripts.gtf.gz",
        "samples.txt",
        "truth.tsv",
    ]
    assert (tmp_path / "samples.txt").read_text() == "patient1\npatient2\npatient3\n"
    assert (
        subprocess.run(
            ["samtools", "quickcheck", "-u", *(tmp_path / "input").iterdir()], check=False
        ).returncode
        == 0
    )


def test_planted_genes_are_apart_and_their_breakpoints_between_exons() -> None:
    for fusion in plant(annotation.read_transcripts(), 30, random.Random(1)):
        first, second = fusion.five_prime, fusion.three_prime
        assert fusion.cut in first.borders()
        assert fusion.resume in second.borders()
        distance = max(first.start, second.start) - min(first.end, second.end)
        assert first.chromosome != second.chromosome or distance > NEIGHBOURS


TRUTH = "sample\tgeneA\tgeneB\ttranscripts\tbreakpoint\ns1\tA\tB\tA.1-B.1\t10-20\n"
CALLED = "sample\tgeneA\tgeneB\ttranscripts\tbreakpoint\tsplit_count\tpair_count\n"


@pytest.mark.parametrize(
    ("called", "verdicts", "right"),
    [
        ("s1\tA\tB\tA.1-B.1\t10-20\t9\t4\n", ["exact"], True),
        ("s1\tA\tB\tA.1-B.1\t11-20\t9\t4\n", ["planted at 10-20"], True),
        ("", ["MISSING"], False),
        ("s1\tB\tA\tB.1-A.1\t1-2\t9\t4\n", ["MISSING", "FALSE"], False),
        ("s1\tA\tB\tA.1-B.1\t10-20\t9\t4\ns2\tA\tB\tA.1-B.1\t10-20\t9\t4\n", ["exact", "FALSE"], False),
    ],
)
def test_calls_are_compared_with_what_was_planted(
    tmp_path: Path, called: str, verdicts: list[str], right: bool
) -> None:
    (tmp_path / "truth.tsv").write_text(TRUTH)
    (tmp_path / "fusions.tsv").write_text(CALLED + called)
    lines, verdict = compare(tmp_path / "truth.tsv", tmp_path / "fusions.tsv")
    assert [line[-1] for line in lines] == verdicts
    assert verdict is right
    words = [sys.executable, "-m", "examples.fusion_demo.compare", "truth.tsv", "fusions.tsv"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == (0 if right else 1)


def test_the_table_is_aligned_and_counted() -> None:
    lines = draw([("s", "ABCDEFGHIJ-B", "A-B", "1-2", "3 split, 4 pairs", "exact")]).splitlines()
    assert lines[0].index("called") == lines[1].index("A-B")
    assert lines[-1] == "1 of 1 planted fusions called, none false"
