"""The close of one run of so many samples × 3 over a Batch that answers without running: a process to be measured.

python -m benchmarks._close SAMPLES
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.scale import names, write_pipeline
from pipeline.api.place import Place
from pipeline.api.prepare import Request, prepare
from pipeline.api.start import start
from pipeline.cloud.stub_batch import StubBatch
from pipeline.follow.close import close
from pipeline.plan.load import load_pipeline
from pipeline.submit.submitter import Submitter

FAILING = 100  # every so many samples fail in the second step


def main() -> None:
    count = int(sys.argv[1])
    file = write_pipeline(Path(os.environ["BATCH_PIPELINE_HOME"]) / f"close-{os.getpid()}", 64)
    request = Request(
        pipeline=replace(load_pipeline(file), name="closing"),
        place=Place(queue="local", bucket_name="stands"),
        source="list",
        sample_list="\n".join(names(count)).encode(),
    )
    prepared = prepare(request)
    batch = StubBatch("local")
    opened = start(replace(prepared, batch=batch)).run
    assert opened is not None
    submitter = Submitter(opened.folder, batch)
    assert submitter.try_to_begin(datetime.now(UTC))
    for step in opened.run.steps:
        submitter.submit(step)
    batch.run_all(lambda name, index: int(name.endswith("-b") and index % FAILING == 0))
    started = time.monotonic()
    summary = close(opened.folder, batch, datetime.now(UTC), prepared.cloud.calls)
    seconds = time.monotonic() - started
    print(f"closed in {seconds:.1f} s; {summary['sample_counts']}")


if __name__ == "__main__":
    main()
