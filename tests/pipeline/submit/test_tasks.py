"""Luigi: a task a step, here and in a real central scheduler."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import luigi
import luigi.rpc
import pytest
from botocore.exceptions import ClientError

from pipeline import Pipeline, Step
from pipeline.api import runs
from pipeline.api.place import OpenRun
from pipeline.cloud.stub_batch import refusal
from pipeline.errors import RefusedError, UnreachableError
from pipeline.follow.progress import Progress
from pipeline.model.run import Run, RunStep
from pipeline.model.status import Status
from pipeline.submit.submitter import Submitter
from pipeline.submit.tasks import SchedulerPage, scheduler_url, submit_through_luigi, task_name
from tests.pipeline.lab import CREATED_AT, Lab, new_plan, plan_run, run_of, sheet_of
from tests.waiting import wait_until

NAMES = [f"s{number}" for number in range(8)]


@pytest.fixture
def run(lab: Lab) -> OpenRun:
    return lab.adopt(plan_run(lab.folder, NAMES), NAMES)


def submit(lab: Lab, run: OpenRun, url: str = "") -> SchedulerPage:
    submitter = Submitter(lab.again(run).folder, lab.batch)
    submitter.take_over()
    return submit_through_luigi(run.run, submitter, url)


@contextmanager
def luigid(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The URL of a luigid that runs, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = ["--address", "127.0.0.1", "--port", str(port), "--state-path", str(folder / "state.pickle")]
    code = "import sys; from luigi.cmdline import luigid; sys.argv[0] = 'luigid'; luigid()"
    daemon = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(port))
        yield scheduler_url(f"127.0.0.1:{port}"), daemon
    finally:
        daemon.kill()
        daemon.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a luigid that runs while the tests do."""
    with luigid(tmp_path_factory.mktemp("luigi")) as (url, _):
        yield url


def tasks_of(url: str, run: Run) -> dict[str, Any]:
    """What the scheduler's page shows of the run, by the task's name."""
    page: Any = luigi.rpc.RemoteScheduler(url)
    found = page.task_list("", "", search=run.uri)
    return {task["name"]: task for task in found.values()}


def test_each_step_is_submitted_once_and_after_those_it_depends_on(lab: Lab, run: OpenRun) -> None:
    submit(lab, run)
    names = [request["jobName"] for request in lab.batch.requests]
    assert sorted(names) == ["toy-1-a", "toy-1-all", "toy-1-b", "toy-1-index"]
    assert names[2:] == ["toy-1-b", "toy-1-all"]


def test_a_step_whose_record_is_in_the_bucket_is_not_submitted_again(lab: Lab, run: OpenRun) -> None:
    submit(lab, run)
    lab.bucket.delete("runs/toy-1/jobs/all.json")
    lab.batch.forget(lab.batch.id_of("toy-1-all"))
    submit(lab, run)
    assert [request["jobName"] for request in lab.batch.requests[4:]] == ["toy-1-all"]


def test_an_error_inside_a_task_is_raised_as_it_was(lab: Lab, run: OpenRun) -> None:
    lab.batch.storm("submit", refusal(400, "ClientException"))
    with pytest.raises(ClientError, match="ClientException"):
        submit(lab, run)


def test_a_task_whose_record_is_missing_after_luigis_build_is_an_error(
    lab: Lab, run: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_by_step = Submitter.submit

    def all_but_the_last(submitter: Submitter, step: RunStep) -> None:
        if step.name != "all":
            step_by_step(submitter, step)

    monkeypatch.setattr(Submitter, "submit", all_but_the_last)
    with pytest.raises(RefusedError, match="these steps were not submitted: all"):
        submit(lab, run)


def test_two_steps_of_one_task_name_are_both_submitted(lab: Lab) -> None:
    lab.pipeline()
    steps = [Step("step-1", "a.sh"), Step("step1", "b.sh")]
    assert task_name("step-1") == task_name("step1") == "Step1"
    pipeline = Pipeline("toy", steps, folder=lab.folder)
    run = lab.adopt(run_of(pipeline, new_plan(pipeline, sheet_of(NAMES))), NAMES)
    submit(lab, run)
    assert sorted(request["jobName"] for request in lab.batch.requests) == ["toy-1-step-1", "toy-1-step1"]


@pytest.mark.parametrize(
    ("step", "task"), [("kallisto", "Kallisto"), ("call-peaks", "CallPeaks"), ("a_b", "AB")]
)
def test_a_task_is_called_as_its_step(step: str, task: str) -> None:
    assert task_name(step) == task


def test_a_scheduler_that_is_not_there_is_an_error_with_a_way_out() -> None:
    with pytest.raises(UnreachableError, match="start luigid"):
        scheduler_url("127.0.0.1:1")
    with pytest.raises(UnreachableError, match="start luigid"):
        scheduler_url("127.0.0.1:no-port")


def test_without_a_host_there_is_no_scheduler_to_ask() -> None:
    assert scheduler_url(None) == ""


def test_the_page_shows_each_step_running_with_progress_until_its_array_ends(
    lab: Lab, run: OpenRun, scheduler: str
) -> None:
    page = submit(lab, run, scheduler)
    array = lab.batch.id_of("toy-1-a")
    for index in range(4):
        lab.batch.end(f"{array}:{index}")
    for index in (4, 5):
        lab.batch.put(f"{array}:{index}", Status.RUNNING)
    page.show_all(
        runs.progress(lab.again(run), datetime.fromisoformat(CREATED_AT)), {"a": "https://example.org/job"}
    )
    shown = tasks_of(scheduler, run.run)
    assert set(shown) == {"Index", "A", "B", "All"}
    assert {task["status"] for task in shown.values()} == {"RUNNING"}
    assert shown["A"]["progress_percentage"] == 50
    assert shown["A"]["status_message"] == "4 done, 2 running, 2 waiting"
    assert shown["A"]["tracking_url"] == "https://example.org/job"
    page.end_all({"index": {"SUCCEEDED": 1}, "a": {"SUCCEEDED": 7, "FAILED": 1}})
    ended = tasks_of(scheduler, run.run)
    assert (ended["Index"]["status"], ended["A"]["status"]) == ("DONE", "FAILED")


def test_a_scheduler_that_goes_away_does_not_end_the_watch(lab: Lab, run: OpenRun, tmp_path: Path) -> None:
    with luigid(tmp_path) as (url, daemon):
        page = submit(lab, run, url)
        goes_on = {"a": Progress({Status.RUNNING: 8}, 8, has_ended=False)}
        page.show_all(goes_on, {})
        assert not page.is_gone
        daemon.kill()
        daemon.wait()
        page.show_all(goes_on, {})
        assert page.is_gone
        page.end_all({"a": {"SUCCEEDED": 8, "FAILED": 0}})
        assert page.is_gone


def test_a_run_is_submitted_by_any_thread(lab: Lab, run: OpenRun) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(submit, lab, run).result()
    assert len(lab.batch.requests) == 4
