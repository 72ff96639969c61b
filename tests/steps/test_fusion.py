"""The fusion steps with the real tools, over the demo's data, whole and damaged."""

import gzip
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.fusion_demo import annotation
from examples.fusion_demo.compare import compare
from examples.fusion_demo.fusion import plant
from examples.fusion_demo.make import make, write_bam
from examples.fusion_demo.reads import READ, Pair, background, spanning
from steps.library.contract import Input, Job
from tests.steps.conftest import RESULTS, Children, Ended, job

TOOLS = ("java", "kallisto", "pizzly", "samtools")
pytestmark = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
TRUNCATED = "input/s1.bam is truncated: its last 28 bytes are not a BAM EOF block"


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """A sample's read pairs, of which forty cross a fusion's breakpoint."""
    rng = random.Random(1)
    transcripts = annotation.read_transcripts()
    [fusion] = plant(transcripts, 1, rng)
    sequences = [one.sequence for one in transcripts]
    return [*spanning(fusion.sequence, fusion.cut, 40, rng), *background(sequences, 360, rng)]


@pytest.fixture(scope="module")
def bam(pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("bam") / "s1.bam"
    write_bam(path, pairs)
    return path.read_bytes()


@pytest.fixture
def fusion(children: Children) -> Children:
    """Children over a reference that has no index yet."""
    children.bucket.put("reference/demo/transcripts.fa.gz", annotation.FASTA.read_bytes())
    children.bucket.put("reference/demo/transcripts.gtf.gz", annotation.GTF.read_bytes())
    return children


def told(step: str, **other: Any) -> Job:
    """The step as the default pipeline declares it."""
    reference = ["reference/transcripts.fa.gz", "reference/transcripts.gtf.gz"]
    cache = Input("reference/pizzly.cache", is_optional=True)
    declared: dict[str, dict[str, Any]] = {
        "index": {"scope": "reference", "inputs": reference, "outputs": ["transcripts.idx", "pizzly.cache"]},
        "picard": {"inputs": ["input/{sample}.bam"]},
        "kallisto": {"after": {"picard": "sample"}, "inputs": ["reference/transcripts.idx"]},
        "pizzly": {"after": {"kallisto": "sample"}, "inputs": [*reference, cache]},
        "gather": {"scope": "run", "after": {"pizzly": "sample"}},
    }
    return job(step, **declared[step], **other)


def run(fusion: Children, step: str, **other: Any) -> Ended:
    return fusion.run(told(step, **other))


def fastq(pairs: list[Pair], mate: int) -> bytes:
    reads = (
        f"@read{number}/{mate + 1}\n{pair[mate]}\n+\n{'I' * READ}\n" for number, pair in enumerate(pairs)
    )
    return gzip.compress("".join(reads).encode(), mtime=0)


def publish_reads(fusion: Children, first: bytes, second: bytes, pairs: int) -> None:
    told = json.dumps({"pairs": pairs}).encode()
    fusion.publish("picard", {"r1.fq.gz": first, "r2.fq.gz": second, "pairs.json": told})


def reason(fusion: Children, step: str, exit_code: int = 65) -> str:
    """Why the step's child failed, with that exit code and without a marker."""
    done = run(fusion, step)
    assert done.exit_code == exit_code, done.stderr
    assert fusion.markers(f"{RESULTS}/{step}") == []
    return str(fusion.failure(step)["reason"])


def test_the_planted_fusions_are_called(fusion: Children, tmp_path: Path) -> None:
    make(tmp_path, samples=2)
    fusion.bucket.upload(tmp_path)
    fusion.sheet = [["sample"], ["patient1"], ["patient2"]]
    assert run(fusion, "index").exit_code == 0
    for step in ("picard", "kallisto", "pizzly"):
        for row in range(2):
            done = run(fusion, step, row=row)
            assert done.exit_code == 0, done.stderr
    assert "s3://lab/reference/demo/pizzly.cache" in fusion.marker("pizzly", "patient1")["inputs"]
    assert run(fusion, "gather").exit_code == 0
    called = tmp_path / "fusions.tsv"
    called.write_bytes(fusion.bucket.get("results/fusion/demo/gather/c0ffee/fusions.tsv"))
    lines, right = compare(tmp_path / "truth.tsv", called)
    assert right, lines
    assert {line[-1] for line in lines} == {"exact"}
    assert fusion.scratch() == []


def test_picard_counts_its_pairs_and_makes_the_same_bytes_again(
    fusion: Children, bam: bytes, pairs: list[Pair]
) -> None:
    fusion.bucket.put("input/s1.bam", bam)
    assert run(fusion, "picard").exit_code == 0
    assert fusion.bucket.json("results/fusion/demo/picard/s1/pairs.json") == {"pairs": len(pairs)}
    before = fusion.marker("picard")["files"]
    assert run(fusion, "picard", fingerprint="f2").exit_code == 0
    assert fusion.marker("picard")["files"] == before


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda bam: bam[:300], id="inside the first block"),
        pytest.param(lambda bam: bam[: len(bam) * 7 // 10], id="at 70 %"),
        pytest.param(lambda bam: bam[:-28], id="EOF block missing"),
        pytest.param(lambda bam: b"", id="empty"),
    ],
)
def test_a_truncated_bam_is_named_before_java_starts(
    fusion: Children, bam: bytes, cut: Callable[[bytes], bytes]
) -> None:
    fusion.bucket.put("input/s1.bam", cut(bam))
    fusion.environment["PATH"] = "/nowhere"
    assert reason(fusion, "picard") == TRUNCATED


def test_picard_says_itself_that_a_bam_is_damaged_inside(fusion: Children, bam: bytes) -> None:
    fusion.bucket.put("input/s1.bam", bam[:5000] + b"damage" + bam[5006:])
    told = reason(fusion, "picard", exit_code=1)
    assert told.startswith("java exited with 1: Exception in thread"), told


def test_a_bam_that_is_not_there_is_named(fusion: Children) -> None:
    assert reason(fusion, "picard") == "input/s1.bam does not exist: s3://lab/input/s1.bam"


def test_a_bam_without_reads_has_no_pairs(fusion: Children, tmp_path: Path) -> None:
    write_bam(tmp_path / "s1.bam", [])
    fusion.bucket.put("input/s1.bam", (tmp_path / "s1.bam").read_bytes())
    assert reason(fusion, "picard") == "input/s1.bam holds no read pairs"


def test_a_bam_of_single_reads_is_refused(fusion: Children, tmp_path: Path) -> None:
    bam = tmp_path / "s1.bam"
    sam = "@HD\tVN:1.6\n" + f"r\t4\t*\t0\t0\t*\t*\t0\t0\t{'A' * READ}\t{'I' * READ}\n"
    subprocess.run(["samtools", "view", "-b", "-o", bam, "-"], input=sam.encode(), check=True)
    fusion.bucket.put("input/s1.bam", bam.read_bytes())
    assert reason(fusion, "picard") == "the reads are not pairs: 1 of mate 1, 0 of mate 2"


def test_kallisto_finds_candidates_and_keeps_its_log(fusion: Children, pairs: list[Pair]) -> None:
    assert run(fusion, "index").exit_code == 0
    publish_reads(fusion, fastq(pairs, 0), fastq(pairs, 1), len(pairs))
    done = run(fusion, "kallisto", outputs=["fusion.txt", "abundance.tsv", "run_info.json", "kallisto.log"])
    assert done.exit_code == 0, done.stderr
    assert b"SPLIT\t" in fusion.bucket.get("results/fusion/demo/kallisto/s1/fusion.txt")
    assert b"processed 400 reads" in fusion.bucket.get("results/fusion/demo/kallisto/s1/kallisto.log")


def test_kallisto_refuses_reads_that_were_cut(fusion: Children, pairs: list[Pair]) -> None:
    """kallisto itself exits with 0 after the pairs that it could read."""
    assert run(fusion, "index").exit_code == 0
    second = fastq(pairs, 1)
    publish_reads(fusion, fastq(pairs, 0), second[: len(second) // 2], len(pairs))
    assert "pairs of the 400 that picard wrote" in reason(fusion, "kallisto")


def test_kallisto_refuses_reads_that_are_not_picards(fusion: Children, pairs: list[Pair]) -> None:
    publish_reads(fusion, fastq(pairs, 0), fastq(pairs, 1), len(pairs))
    fusion.bucket.put("reference/demo/transcripts.idx", "not asked for")
    fusion.bucket.put("results/fusion/demo/picard/s1/r2.fq.gz", fastq(pairs[:100], 1))
    assert reason(fusion, "kallisto").startswith("picard has no whole result of this sample")


def test_kallisto_says_itself_that_no_read_fits(fusion: Children, pairs: list[Pair]) -> None:
    assert run(fusion, "index").exit_code == 0
    publish_reads(fusion, gzip.compress(b"hello"), gzip.compress(b"world"), 1)
    assert reason(fusion, "kallisto", exit_code=1).startswith("kallisto exited with 1: ")


@pytest.fixture
def candidates(fusion: Children, pairs: list[Pair]) -> bytes:
    """kallisto's list of candidates, as it published it."""
    run(fusion, "index")
    publish_reads(fusion, fastq(pairs, 0), fastq(pairs, 1), len(pairs))
    run(fusion, "kallisto")
    return fusion.bucket.get("results/fusion/demo/kallisto/s1/fusion.txt")


def test_pizzly_refuses_candidates_that_are_missing_empty_or_cut(fusion: Children, candidates: bytes) -> None:
    """pizzly itself exits with 0 and a JSON of no fusions, or fewer."""
    for damaged in (b"", candidates[: len(candidates) // 2], candidates[:40]):
        fusion.publish("kallisto", {"fusion.txt": damaged})
        assert "kallisto/fusion.txt is truncated" in reason(fusion, "pizzly")
    fusion.bucket.client.delete_object(Bucket="lab", Key="results/fusion/demo/kallisto/s1/fusion.txt")
    assert reason(fusion, "pizzly").startswith("kallisto has no whole result of this sample")


@pytest.mark.parametrize("name", ["transcripts.fa.gz", "transcripts.gtf.gz"])
def test_a_missing_file_of_the_reference_is_named(fusion: Children, candidates: bytes, name: str) -> None:
    fusion.bucket.client.delete_object(Bucket="lab", Key=f"reference/demo/{name}")
    assert f"reference/{name} does not exist" in reason(fusion, "pizzly")


def test_pizzly_fails_itself_with_the_annotation_of_other_transcripts(
    fusion: Children, candidates: bytes
) -> None:
    fusion.bucket.client.delete_object(Bucket="lab", Key="reference/demo/pizzly.cache")
    genes = gzip.decompress(annotation.GTF.read_bytes()).replace(b"ENST0000", b"ENST9999")
    fusion.bucket.put("reference/demo/transcripts.gtf.gz", gzip.compress(genes))
    assert reason(fusion, "pizzly", exit_code=1).startswith("pizzly exited with 1")


def test_pizzly_calls_the_same_with_and_without_its_cache(fusion: Children, candidates: bytes) -> None:
    assert run(fusion, "pizzly").exit_code == 0
    cached = fusion.marker("pizzly")["files"]
    fusion.bucket.client.delete_object(Bucket="lab", Key="reference/demo/pizzly.cache")
    assert run(fusion, "pizzly", fingerprint="f2").exit_code == 0
    assert fusion.marker("pizzly")["files"] == cached
