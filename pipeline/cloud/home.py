"""This machine's memory of the runs that were started from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from pipeline.model.run import Run


def home() -> Path:
    """The folder of all state on this machine: $BATCH_PIPELINE_HOME, else the platform's data folder."""
    return Path(os.environ.get("BATCH_PIPELINE_HOME") or platformdirs.user_data_dir("batch-pipeline"))


def remember_run(run: Run, *, profile: str | None) -> None:
    """The run is found again by its id alone, from this machine, as whom it was started."""
    home().mkdir(parents=True, exist_ok=True)
    known = {"run": run.id, "bucket": run.bucket, "queue": run.queue, "region": run.region}
    with (home() / "runs.jsonl").open("a+b") as runs:
        end = runs.seek(0, os.SEEK_END)
        runs.seek(max(end - 1, 0))
        is_torn = runs.read() not in {b"", b"\n"}  # a line that was cut as it was written costs no other
        line = json.dumps({**known, **({"profile": profile} if profile else {})})
        runs.write((b"\n" if is_torn else b"") + line.encode() + b"\n")


def recall_runs() -> list[Mapping[str, Any]]:
    """The runs that were started from this machine, oldest first."""
    try:
        lines = (home() / "runs.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [known for known in map(_parse, lines) if known]


def _parse(line: str) -> Mapping[str, Any] | None:
    """What a line says; None for one that was cut as it was written."""
    try:
        known = json.loads(line)
    except ValueError:
        return None
    return known if isinstance(known, dict) and "run" in known else None
