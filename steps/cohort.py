"""Every sample's file of one kind: found by LIST, fetched a few at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from fetch_and_run import s3
from steps.child import Child
from steps.failure import DataError
from steps.job import on_disk
from steps.marker import find

FETCHED_AT_ONCE = 16
NAMED_AT_MOST = 5


def fetch_all(child: Child, path: str) -> dict[str, Path]:
    """The file of every sample is on disk, at <room>/<sample>/<file>; by sample, in the sheet's order.

    Raises: DataError naming the samples that have none.
    """
    urls = {row["sample"]: child.job.source(path, row) for row in child.sheet.rows()}
    there = {stored.url for stored in find(child.job, urls.values())}
    missing = [sample for sample, url in urls.items() if url not in there]
    if missing:
        named = ", ".join(missing[:NAMED_AT_MOST]) + (", …" if len(missing) > NAMED_AT_MOST else "")
        raise DataError(f"{len(missing)} of {len(urls)} samples have no {path}: {named}")
    files = {sample: _local(path, sample) for sample in urls}
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        for stored in pool.map(s3.download, urls.values(), files.values()):
            child.inputs[stored.url] = stored.etag
    return files


def _local(path: str, sample: str) -> Path:
    room, _, name = path.partition("/")
    return Path(room, sample, PurePosixPath(on_disk(name)))
