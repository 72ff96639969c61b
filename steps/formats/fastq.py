"""FASTQ files of the two mates hold as many reads, and each is a whole gzip file."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from steps import DataError

CHUNK_BYTES = 2**20
GZIP = 16 + zlib.MAX_WBITS
GZIP_HEADER_BYTES = 10


def count_pairs(first: str, second: str) -> int:
    """The number of pairs. Raises: DataError when a file is cut or the mates differ."""
    with ThreadPoolExecutor() as both:  # zlib runs beside zlib
        reads, mates = both.map(count_reads, (first, second))
    if reads != mates:
        raise DataError(f"the reads are not pairs: {reads} of mate 1, {mates} of mate 2")
    return reads


def count_reads(path: str) -> int:
    """The number of reads, four lines each. Raises: DataError when the file is cut."""
    lines, gzip = 0, zlib.decompressobj(GZIP)
    with Path(path).open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            while chunk:
                lines += gzip.decompress(chunk).count(b"\n")
                chunk = gzip.unused_data
                if gzip.eof and chunk:
                    gzip = zlib.decompressobj(GZIP)
    without_reads = Path(path).stat().st_size <= GZIP_HEADER_BYTES  # so Picard leaves mate 2 of single reads
    if not (gzip.eof or without_reads) or lines % 4:
        raise DataError(f"{path} is truncated: {lines} lines and no end")
    return lines // 4
