"""This machine's memory of the runs that were started from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs


def home() -> Path:
    """The folder of all state on this machine: $BATCH_PIPELINE_HOME, else the platform's data folder."""
    return Path(os.environ.get("BATCH_PIPELINE_HOME") or platformdirs.user_data_dir("batch-pipeline"))


def remember_run(run_id: str, *, bucket: str, queue: str) -> None:
    """The run is found again by its id alone, from this machine."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "runs.jsonl").open("a") as runs:
        runs.write(json.dumps({"run": run_id, "bucket": bucket, "queue": queue}) + "\n")


def recall_runs() -> list[Mapping[str, Any]]:
    """The runs that were started from this machine, oldest first."""
    try:
        lines = (home() / "runs.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]
