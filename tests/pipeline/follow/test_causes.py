"""From what Batch says of a child, and what it wrote down, to the reason that is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.follow import causes
from pipeline.model.entry import Entry
from pipeline.model.status import Status

ENDED = "Essential container in task exited"
NO_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


def job(status: str = "FAILED", status_reason: str = ENDED, **container: Any) -> dict[str, Any]:
    return {
        "jobId": "A:1",
        "status": status,
        "statusReason": status_reason,
        "container": container,
        "attempts": [{}],
        "startedAt": 1000,
        "stoppedAt": 3100,
    }


def reason(found: dict[str, Any], failure: dict[str, Any] | None = None) -> str | None:
    entry = causes.entry_of_job("s1", "a", found)
    return causes.with_reason(entry, found, failure, memory_mib=2048).reason


def own_words(text: str) -> dict[str, Any]:
    return {"job_id": "A:1", "reason": text}


def test_an_entry_has_what_batch_tells_of_the_last_attempt() -> None:
    found = job("SUCCEEDED", exitCode=0, logStreamName="d/default/1")
    assert causes.entry_of_job("s1", "a", found) == Entry(
        sample="s1", step="a", status=Status.SUCCEEDED, attempts=1, exit_code=0, seconds=2.1,
        log="d/default/1", job_id="A:1",
    )  # fmt: skip


def test_an_entry_of_a_job_that_never_started_has_what_there_is() -> None:
    assert causes.entry_of_job("s1", "a", {"jobId": "A:1", "status": "SUBMITTED"}) == Entry(
        sample="s1", step="a", status=Status.SUBMITTED, job_id="A:1"
    )


def test_the_seconds_are_of_an_attempt_that_ended_to_a_tenth() -> None:
    found = {**job("RUNNING"), "startedAt": 1_000, "stoppedAt": 1_001_060}
    assert causes.entry_of_job("s1", "a", found).seconds == 1000.1
    for missing in ("startedAt", "stoppedAt"):
        told = {name: value for name, value in found.items() if name != missing}
        assert causes.entry_of_job("s1", "a", told).seconds is None


def test_an_attempt_that_runs_counts_though_batch_lists_only_those_that_ended() -> None:
    assert causes.entry_of_job("s1", "a", job("RUNNING")).attempts == 2
    assert causes.entry_of_job("s1", "a", job("STARTING")).attempts == 2
    assert causes.entry_of_job("s1", "a", {**job("RUNNABLE"), "attempts": []}).attempts == 0


def test_memory_is_told_before_the_childs_own_words() -> None:
    found = job(exitCode=137, reason=NO_MEMORY)
    assert reason(found, own_words("picard exited with 137")) == "out of memory: memory_mib was 2048"


def test_the_childs_own_words_are_told_before_batchs() -> None:
    found = job(exitCode=65, reason="DockerTimeoutError: something")
    assert reason(found, own_words("input/s1.txt is truncated")) == "input/s1.txt is truncated"


def test_what_another_job_wrote_down_of_that_child_is_not_the_reason_of_this_one() -> None:
    assert reason(job(exitCode=3), {"job_id": "old", "reason": "old"}) == "exit code 3"


def test_the_containers_reason_is_told_where_the_child_said_nothing() -> None:
    found = job(status_reason="Task failed to start", reason="CannotPullContainerError: no such image")
    assert reason(found) == "CannotPullContainerError: no such image"


@pytest.mark.parametrize(
    "status_reason",
    [
        "Host EC2 (instance i-0abc) terminated.",
        "Job attempt duration exceeded timeout",
        "cancelled by the user",
    ],
)
def test_batchs_reason_is_told_where_the_container_has_none(status_reason: str) -> None:
    assert reason(job(status_reason=status_reason)) == status_reason
    assert reason(job(status_reason=status_reason, exitCode=137)) == status_reason


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [
        (137, "killed, likely out of memory: memory_mib was 2048"),
        (143, "told to stop (SIGTERM)"),
        (3, "exit code 3"),
    ],
)
def test_an_exit_code_alone_is_told_with_what_it_usually_means(exit_code: int, told: str) -> None:
    assert reason(job(exitCode=exit_code)) == told


def test_a_reason_of_several_lines_is_told_in_one() -> None:
    assert reason(job(exitCode=1), own_words("ValueError: a\n  in line 3\r\nand b\n")) == (
        "ValueError: a in line 3 and b"
    )


def test_a_reason_that_would_fill_the_table_is_cut() -> None:
    most = "x" * causes.MAX_REASON
    assert reason(job(exitCode=1), own_words(most)) == most
    assert reason(job(exitCode=1), own_words(f"{most}x")) == f"{most}…"


def test_a_failure_of_which_nobody_said_anything_has_no_reason() -> None:
    found = {"jobId": "A:1", "status": "FAILED"}
    assert reason(found) is None
    assert reason(job(status_reason=" ", exitCode=1)) is None


def test_what_a_child_wrote_down_without_its_job_is_not_the_reason() -> None:
    assert reason(job(exitCode=3), {"reason": "old"}) == "exit code 3"


def test_a_container_that_ended_without_an_exit_code_is_told_in_batchs_words() -> None:
    assert reason(job()) == ENDED


def test_a_failed_child_keeps_all_else_that_is_known_of_it() -> None:
    found = job(exitCode=3)
    entry = causes.entry_of_job("s1", "a", found)
    assert causes.with_reason(entry, found, None, memory_mib=2048) == replace(entry, reason="exit code 3")


def test_a_child_that_did_not_fail_needs_no_reason() -> None:
    assert reason(job("SUCCEEDED", exitCode=0), own_words("an earlier attempt's")) is None


def test_a_child_was_skipped_when_batch_never_started_it_for_what_it_depends_on() -> None:
    assert causes.is_skipped(job(status_reason="Dependent Job failed"))
    assert not causes.is_skipped(job("SUCCEEDED", "Dependent Job failed"))
    assert not causes.is_skipped(job())


def test_a_job_of_which_batch_says_little_was_not_skipped() -> None:
    assert not causes.is_skipped({"statusReason": "Dependent Job failed"})
    assert not causes.is_skipped({"status": "FAILED"})


def test_a_skipped_child_names_the_step_at_the_root() -> None:
    entry = causes.entry_of_job("s1", "b", job(exitCode=1))
    assert causes.skipped(entry, "a") == replace(
        entry, status=Status.SKIPPED, reason="skipped because a failed", exit_code=None
    )
    assert causes.skipped(entry, None).reason == "skipped because a step before it failed"


def test_a_marker_outranks_batchs_word() -> None:
    failed = causes.entry_of_job("s1", "a", job(exitCode=1))
    assert causes.settled(failed, has_marker=True) == replace(
        failed, status=Status.SUCCEEDED, reason="its success marker is there"
    )
    assert causes.settled(failed, has_marker=False) == failed


def test_a_child_that_is_not_listed_is_lost_only_when_it_may_be_forgotten() -> None:
    assert causes.unlisted("s1", "a", is_forgotten=True) == Entry(
        sample="s1", step="a", status=Status.LOST,
        reason="Batch has forgotten the job, and it left no marker",
    )  # fmt: skip
    assert causes.unlisted("s1", "a", is_forgotten=False) == Entry(
        sample="s1", step="a", status=Status.UNKNOWN, reason="Batch does not list the job"
    )
