"""The fusion pipeline on the embedded endpoint, against `xargs -P2` over the same three commands a sample.

    python -m benchmarks.end_to_end [--repeats 3]

Both start from BAM files and an index that is there already, with the same options of Java; the endpoint is warm.
What is printed is the ratio of wall times in one run, the median of the repeats. Bars: 1.5 at 2,400 read pairs a
sample, 1.15 at 200,000.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from examples.fusion_demo.make import make
from main import fusion
from pipeline.cli.local import upload
from pipeline.cloud import local
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from steps import picard

SAMPLES = 8
BARS = {2_400: 1.5, 200_000: 1.15}
SLOTS = 2
ONE_SAMPLE = r"""set -eu
bam=$1 reference=$2 out=$3/$(basename "$1" .bam)
mkdir -p "$out" && cd "$out"
$PICARD SamToFastq I="$bam" F=r1.fq.gz F2=r2.fq.gz QUIET=true \
    INCLUDE_NON_PF_READS=true VALIDATION_STRINGENCY=SILENT MAX_RECORDS_IN_RAM=250000 TMP_DIR=.
kallisto quant -i "$reference/transcripts.idx" -o . -b 30 --fusion --rf-stranded --threads=1 r1.fq.gz r2.fq.gz
pizzly --version-check 0 -k 31 --gtf "$reference/transcripts.gtf.gz" --cache "$reference/pizzly.cache" \
    --align-score 2 --insert-size 400 --fasta "$reference/transcripts.fa.gz" --output pizzly fusion.txt
"""


def time_xargs(folder: Path, out: Path) -> float:
    """Seconds that xargs takes over all samples."""
    bams = "\0".join(str(path) for path in sorted((folder / "input").glob("*.bam")))
    words = [
        "xargs",
        "-0",
        f"-P{SLOTS}",
        "-I{}",
        "sh",
        "-c",
        ONE_SAMPLE,
        "one",
        "{}",
        str(folder / "reference"),
        str(out),
    ]
    largest = max(path.stat().st_size for path in (folder / "input").glob("*.bam"))
    java = " ".join(picard.picard(fusion.step("picard").memory_mib, largest))
    started = time.monotonic()
    subprocess.run(
        words, input=bams.encode(), env={**os.environ, "PICARD": java}, check=True, capture_output=True
    )
    return time.monotonic() - started


def time_pipeline(folder: Path, bucket: Bucket, name: str) -> float:
    """Seconds that the command takes over all samples, none of them done before."""
    words = ["main.py", "--queue", "local", "--bucket-name", bucket.name, "--reference", "demo"]
    words += ["--sample-list-file", str(folder / "samples.txt"), "--pipeline-name", name]
    started = time.monotonic()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.monotonic() - started


def measure(pairs: int, repeats: int) -> None:
    """The two, in turn; their ratio is printed."""
    bucket = Bucket(Cloud(local.start("process")), f"bench-{pairs}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, samples=SAMPLES, pairs=pairs)
        upload(folder / "input", bucket, "input")
        upload(folder / "reference", bucket, "reference/demo")
        time_pipeline(folder, bucket, "warm")
        for file in ("transcripts.idx", "pizzly.cache"):
            (folder / "reference" / file).write_bytes(bucket.read(f"reference/demo/{file}") or b"")
        ratios = []
        for repeat in range(repeats):
            plain = time_xargs(folder, folder / f"out{repeat}")
            ours = time_pipeline(folder, bucket, f"run{repeat}")
            ratios.append(ours / plain)
            print(f"  {pairs:>7} pairs: xargs -P{SLOTS} {plain:6.1f} s, main.py {ours:6.1f} s", flush=True)
    ratio = statistics.median(ratios)
    print(f"{pairs} pairs × {SAMPLES} samples: {ratio:.2f} × xargs -P{SLOTS} (bar {BARS[pairs]})", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pairs", type=int, nargs="+", default=list(BARS))
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["BATCH_PIPELINE_HOME"] = home
        try:
            for pairs in told.pairs:
                measure(pairs, told.repeats)
        finally:
            local.stop()


if __name__ == "__main__":
    main()
