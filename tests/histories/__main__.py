"""Many histories with a seed: python -m tests.histories [--edits 2000] [--seed 1]"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pipeline.cloud import local
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.histories.clients import told_apart
from tests.histories.history import History

EDITS_A_HISTORY = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    done: Counter[str] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as home, told_apart():
        os.environ["BATCH_PIPELINE_HOME"] = home
        bucket = Bucket(Cloud(local.start("process")), "histories")
        bucket.create()
        try:
            for number in range(-(-options.edits // EDITS_A_HISTORY)):
                choose = random.Random(options.seed * 10_000 + number)
                history = History(bucket, Path(home) / "files", choose)
                history.play(EDITS_A_HISTORY)
                done += history.done
                if sys.stderr.isatty() or number % 10 == 9:
                    edits = (number + 1) * EDITS_A_HISTORY
                    print(f"{edits} edits, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        finally:
            local.stop()
    print(f"{options.edits} edits, every file as a fresh execution gives it; {dict(sorted(done.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
