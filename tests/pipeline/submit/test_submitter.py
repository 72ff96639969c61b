"""Every step is in the queue once, whoever submits; one client at a time does, and a dead one is replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from pipeline.api.place import OpenRun
from pipeline.cloud.run_folder import RunFolder
from pipeline.errors import RefusedError
from pipeline.model.status import Status
from pipeline.submit import submitter as module
from pipeline.submit.submitter import (
    TURN_LASTS,
    LostTurnError,
    Submitter,
    adopt_found_jobs,
    cancel,
    check_submitted,
    submitted_jobs,
    terminate,
)
from tests.pipeline.lab import Lab, plan_run

NAMES = ["s0", "s1", "s2"]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def run(lab: Lab) -> OpenRun:
    return lab.adopt(plan_run(lab.folder, NAMES), NAMES)


def client(lab: Lab, run: OpenRun) -> Submitter:
    """A client that found the run by itself."""
    return Submitter(lab.again(run).folder, lab.batch)


def beginner(lab: Lab, run: OpenRun) -> Submitter:
    """A client that has the turn."""
    found = client(lab, run)
    assert found.try_to_begin(now())
    return found


def pretend(monkeypatch: pytest.MonkeyPatch, **who: Any) -> None:
    """Turns are taken in the name of another client from now on."""
    mine = module._who()
    monkeypatch.setattr(module, "_who", lambda: {**mine, **who})


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_step_is_registered_submitted_and_then_recorded(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    submitter.submit(run.run.step("a"))
    record = submitter.record("a")
    assert record is not None
    assert [(job.job_name, job.size, job.first_row) for job in record.jobs] == [("toy-1-a", 3, 0)]
    assert [found["jobDefinitionName"] for found in lab.batch.definitions()] == [
        run.run.step("a").definition["jobDefinitionName"]
    ]


def test_a_step_after_another_is_told_its_jobs_id(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    for name in ("index", "a", "b"):
        submitter.submit(run.run.step(name))
    assert {one["jobId"] for one in lab.batch.requests[-1]["dependsOn"]} == {
        lab.batch.id_of("toy-1-index"),
        lab.batch.id_of("toy-1-a"),
    }


def test_a_job_that_a_dead_client_left_without_a_record_is_not_submitted_again(
    lab: Lab, run: OpenRun
) -> None:
    beginner(lab, run).submit(run.run.step("a"))
    lab.bucket.delete(run.run.keys.job_record("a"))
    successor = client(lab, run)
    assert successor.take_over()
    successor.submit(run.run.step("a"))
    assert len(lab.batch.requests) == 1


def test_a_second_client_waits_while_the_first_is_alive(lab: Lab, run: OpenRun) -> None:
    beginner(lab, run)
    assert not client(lab, run).try_to_begin(now())


def test_a_dead_client_of_this_machine_is_replaced_at_once(
    lab: Lab, run: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        pretend(patch, pid=ended_process())
        beginner(lab, run)
    assert client(lab, run).try_to_begin(now())


def test_a_dead_client_whose_number_another_process_has_now_is_replaced_at_once(
    lab: Lab, run: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        pretend(patch, pid=os.getpid(), started=psutil.Process().create_time() - 1000)
        beginner(lab, run)
    assert client(lab, run).try_to_begin(now())


def test_a_silent_client_elsewhere_is_replaced_when_its_turn_has_lasted_and_not_before(
    lab: Lab, run: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        pretend(patch, machine=["elsewhere", "boot", "pid:[1]"], pid=ended_process())
        beginner(lab, run)
    assert not client(lab, run).try_to_begin(now())
    assert not client(lab, run).try_to_begin(now() + TURN_LASTS - timedelta(seconds=10))
    assert client(lab, run).try_to_begin(now() + TURN_LASTS)


def test_of_two_clients_that_begin_at_one_instant_one_has_the_turn(
    lab: Lab, run: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of two threads of one process, which are the same machine and the same number."""
    clients = [client(lab, run) for _ in range(4)]
    monkeypatch.setattr(
        RunFolder, "last_turn", lambda _folder: (0, None)
    )  # all have looked before any writes
    with ThreadPoolExecutor(4) as threads:
        began = list(threads.map(lambda one: one.try_to_begin(now()), clients))
    assert sum(began) == 1


def test_a_client_that_lost_its_turn_stops_before_its_next_job(lab: Lab, run: OpenRun) -> None:
    first = beginner(lab, run)
    first.submit(run.run.step("index"))
    assert client(lab, run).take_over()
    with pytest.raises(LostTurnError):
        first.submit(run.run.step("a"))
    assert len(lab.batch.requests) == 1
    assert run.folder.record("a") is None


def test_a_client_whose_run_was_cancelled_stops_before_its_next_job(lab: Lab, run: OpenRun) -> None:
    first = beginner(lab, run)
    first.submit(run.run.step("index"))
    run.folder.write_cancelled(now())
    with pytest.raises(LostTurnError):
        first.submit(run.run.step("a"))
    assert len(lab.batch.requests) == 1


def test_a_run_is_done_when_each_of_its_steps_has_its_record(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    for step in run.run.steps:
        assert not submitter.is_done()
        submitter.submit(step)
    assert submitter.is_done()


def test_steps_without_a_record_are_named_with_the_way_to_go_on(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    submitter.submit(run.run.step("index"))
    with pytest.raises(RefusedError, match=r"not submitted: a, b, all\n.*\n.*resume s3://lab/runs/toy-1"):
        check_submitted(submitter)


def test_cancel_stops_jobs_that_are_recorded_and_those_that_are_only_in_the_queue(
    lab: Lab, run: OpenRun
) -> None:
    submitter = beginner(lab, run)
    for name in ("index", "a"):
        submitter.submit(run.run.step(name))
    lab.bucket.delete(run.run.keys.job_record("a"))
    stopped = cancel(lab.again(run).folder, lab.batch, now())
    assert stopped == [lab.batch.id_of("toy-1-index"), lab.batch.id_of("toy-1-a")]
    assert {job["status"] for job in lab.batch.describe(stopped)} == {"FAILED"}


def test_cancel_stops_what_is_furthest_upstream_first(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    for step in run.run.steps:
        submitter.submit(step)
    stopped = cancel(run.folder, lab.batch, now())
    assert stopped == [lab.batch.id_of(f"toy-1-{name}") for name in ("index", "a", "b", "all")]


def test_cancelling_twice_is_fine(lab: Lab, run: OpenRun) -> None:
    beginner(lab, run).submit(run.run.step("index"))
    assert cancel(run.folder, lab.batch, now()) == cancel(run.folder, lab.batch, now())


def test_the_jobs_of_a_run_are_known_by_step_recorded_or_not(lab: Lab, run: OpenRun) -> None:
    beginner(lab, run).submit(run.run.step("index"))
    lab.bucket.delete(run.run.keys.job_record("index"))
    found = submitted_jobs(RunFolder(lab.bucket, "toy-1"), lab.batch)
    assert found == {"index": [lab.batch.id_of("toy-1-index")], "a": [], "b": [], "all": []}


def test_a_step_whose_jobs_are_all_in_the_queue_is_adopted(lab: Lab, run: OpenRun) -> None:
    beginner(lab, run).submit(run.run.step("index"))
    lab.bucket.delete(run.run.keys.job_record("index"))
    again = lab.again(run).folder
    adopt_found_jobs(again, lab.batch)
    assert list(again.records()) == ["index"]


def test_a_terminated_job_that_waits_is_told_too(lab: Lab, run: OpenRun) -> None:
    submitter = beginner(lab, run)
    for step in run.run.steps:
        submitter.submit(step)
    lab.batch.put(f"{lab.batch.id_of('toy-1-a')}:1", Status.RUNNING)
    terminate(run.folder, lab.batch)
    assert not any(
        job["status"] in {"PENDING", "RUNNABLE", "RUNNING"}
        for job in lab.batch.describe(lab.batch.id_of(f"toy-1-{name}") for name in ("index", "a", "b", "all"))
    )
