"""Luigi: a task a step, in a real central scheduler."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import luigi
import luigi.rpc
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline.aws import Cloud
from pipeline.errors import UnreachableError
from pipeline.run import Run
from pipeline.storage import Bucket
from pipeline.submit import Submitter
from pipeline.tasks import submit_through_luigi
from pipeline.watch import describe_progress
from tests.pipeline.fakes import FakeBatch, refusal
from tests.pipeline.test_jobs import plan_run
from tests.waiting import wait_until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return plan_run(tmp_path, 8)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        bucket = Bucket(Cloud(region="us-east-1"), "lab")
        bucket.create()
        yield bucket


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a luigid that runs while the tests do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    state = tmp_path_factory.mktemp("luigi") / "state.pickle"
    words = ["--address", "127.0.0.1", "--port", str(port), "--state-path", str(state)]
    code = "import sys; from luigi.cmdline import luigid; sys.argv[0] = 'luigid'; luigid()"
    daemon = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: _answers(port))
    yield port
    daemon.terminate()
    daemon.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def tasks_of(port: int, run: Run) -> dict[str, Any]:
    """What the scheduler's page shows of the run, by the task's name."""
    page: Any = luigi.rpc.RemoteScheduler(f"http://127.0.0.1:{port}")
    found = page.task_list("", "", search=run.uri)
    return {task["name"]: task for task in found.values()}


def test_each_step_is_submitted_once_and_after_those_it_depends_on(run: Run, bucket: Bucket) -> None:
    batch: Any = FakeBatch()
    submit_through_luigi(run, Submitter(run, batch, bucket), None)
    assert [request["jobName"] for request in batch.requests][-1] == "toy-1-all"
    assert len(batch.requests) == 4
    b = next(request for request in batch.requests if request["jobName"] == "toy-1-b")
    assert {dependency["jobId"] for dependency in b["dependsOn"]} < {"id-1", "id-2", "id-3"}


def test_a_step_whose_record_is_in_the_bucket_is_not_submitted_again(run: Run, bucket: Bucket) -> None:
    batch: Any = FakeBatch()
    submit_through_luigi(run, Submitter(run, batch, bucket), None)
    bucket.delete("runs/toy-1/jobs/all.json")
    submit_through_luigi(run, Submitter(run, batch, bucket), None)
    assert [request["jobName"] for request in batch.requests[4:]] == ["toy-1-all"]


def test_an_error_inside_a_task_is_raised_as_it_was(run: Run, bucket: Bucket) -> None:
    batch: Any = FakeBatch()
    batch.raises = refusal(400, "ClientException")
    with pytest.raises(ClientError, match="ClientException"):
        submit_through_luigi(run, Submitter(run, batch, bucket), None)


def test_a_scheduler_that_is_not_there_is_an_error_with_a_way_out(run: Run, bucket: Bucket) -> None:
    batch: Any = FakeBatch()
    with pytest.raises(UnreachableError, match="start luigid"):
        submit_through_luigi(run, Submitter(run, batch, bucket), "nowhere.invalid")


def test_the_page_shows_each_step_running_with_progress_until_its_array_ends(
    run: Run, bucket: Bucket, scheduler: int
) -> None:
    batch: Any = FakeBatch()
    submitter = Submitter(run, batch, bucket)
    page = submit_through_luigi(run, submitter, f"127.0.0.1:{scheduler}")
    records = {step.name: submitter.record(step.name) for step in run.steps}
    summary = {"SUCCEEDED": 4, "RUNNING": 2, "RUNNABLE": 2}
    batch.details["id-2"]["arrayProperties"]["statusSummary"] = summary
    page.show_all(describe_progress(run, records, batch, NOW), {"a": "https://example.org/job"})
    shown = tasks_of(scheduler, run)
    assert set(shown) == {"Index", "A", "B", "All"}
    assert {task["status"] for task in shown.values()} == {"RUNNING"}
    assert shown["A"]["progress_percentage"] == 50
    assert shown["A"]["status_message"] == "4 done, 2 running, 2 waiting"
    assert shown["A"]["tracking_url"] == "https://example.org/job"
    page.end_all({"index": {"SUCCEEDED": 1}, "a": {"SUCCEEDED": 7, "FAILED": 1}})
    ended = tasks_of(scheduler, run)
    assert (ended["Index"]["status"], ended["A"]["status"]) == ("DONE", "FAILED")
