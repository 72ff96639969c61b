"""How far a run is, from its parents alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.watch import describe_progress
from tests.pipeline.fakes import FakeBatch
from tests.pipeline.test_jobs import plan_run

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS = {"a": {"jobs": [{"job_id": "A"}]}}


def progress_of(folder: Path, details: dict[str, Any], now: datetime) -> Any:
    batch: Any = FakeBatch()
    batch.details = details
    return describe_progress(plan_run(folder, 8), RECORDS, batch, now)["a"]


def test_an_arrays_counts_are_its_parents_summary(tmp_path: Path) -> None:
    summary = {"SUCCEEDED": 5, "FAILED": 1, "RUNNING": 2}
    parent = {"jobId": "A", "status": "PENDING", "arrayProperties": {"size": 8, "statusSummary": summary}}
    progress = progress_of(tmp_path, {"A": parent}, CREATED)
    assert str(progress) == "5 done, 1 failed, 2 running"
    assert progress.percentage == 75
    assert not progress.has_ended


def test_a_new_job_that_is_not_listed_yet_has_not_ended(tmp_path: Path) -> None:
    assert not progress_of(tmp_path, {}, CREATED + timedelta(minutes=1)).has_ended


def test_a_job_that_batch_has_forgotten_has_ended(tmp_path: Path) -> None:
    assert progress_of(tmp_path, {}, CREATED + timedelta(days=8)).has_ended
