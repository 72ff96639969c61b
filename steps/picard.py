"""picard: turn one sample's BAM into a pair of FASTQ files.

in   input    {sample}.bam            paired reads, aligned or not
out  picard   r1.fq.gz, r2.fq.gz      mate 1 and mate 2, in the same order
out  picard   pairs.json              {"pairs": n}, for the next step to compare with
"""

import json
import os
from pathlib import Path

from steps import Child, DataError, main
from steps.formats import bam, fastq

DEBIAN_JAR = "/usr/share/java/picard.jar"
JVM_OWN_MIB = 256  # what a JVM takes beside its heap
SMALLEST_HEAP_MIB = 128
# Java's first compiler alone takes half the CPU for 2,400 pairs, as much for 200,000 (12 MB), a fifth more for 800,000.
SMALL_BAM_BYTES = 12 * 2**20


def sam_to_fastq(child: Child) -> None:
    """The pairs of the BAM are two FASTQ files of as many reads."""
    bam.check_end(child, "input/{sample}.bam")
    reads = child.fetch("input", "{sample}.bam")
    child.run(
        *picard(child.memory_mib, reads.stat().st_size), "SamToFastq", f"I={reads}", "F=r1.fq.gz", "F2=r2.fq.gz",
        "QUIET=true", "INCLUDE_NON_PF_READS=true", "VALIDATION_STRINGENCY=SILENT", "MAX_RECORDS_IN_RAM=250000",
        "TMP_DIR=.",
    )  # fmt: skip
    pairs = fastq.count_pairs("r1.fq.gz", "r2.fq.gz")
    if pairs == 0:
        raise DataError(f"{child.name('input/{sample}.bam')} holds no read pairs")
    Path("pairs.json").write_text(json.dumps({"pairs": pairs}) + "\n")
    child.publish("r1.fq.gz", "r2.fq.gz", "pairs.json", at_least=1)


def picard(memory_mib: int, bam_bytes: int) -> list[str]:
    """How Picard is called here: its jar where there is one (Debian, Docker), else bioconda's `picard`.

    Debian's own wrapper does not quote its arguments. The heap is said, for Java takes a quarter of the memory if not.
    """
    heap_mib = max(SMALLEST_HEAP_MIB, memory_mib - max(JVM_OWN_MIB, memory_mib // 4))
    options = [f"-Xmx{heap_mib}m", "-XX:+UseSerialGC"]
    if bam_bytes < SMALL_BAM_BYTES:
        options.append("-XX:TieredStopAtLevel=1")
    jar = os.environ.get("PICARD_JAR", DEBIAN_JAR)
    return ["java", *options, "-jar", jar] if Path(jar).exists() else ["picard", *options]


if __name__ == "__main__":
    main(sam_to_fastq)
