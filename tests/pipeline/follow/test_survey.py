"""One pass over all children: what they add up to, and their entries once more."""

from __future__ import annotations

import pytest

from pipeline.follow.survey import SHOWN, Survey, troubles_json
from pipeline.model.entry import ONCE, Entry
from pipeline.model.status import RunState, Status


def entry(
    sample: str, step: str = "a", status: Status = Status.SUCCEEDED, reason: str | None = None
) -> Entry:
    return Entry(sample=sample, step=step, status=status, reason=reason)


def test_a_step_is_counted_by_status_with_the_two_ends_always_there() -> None:
    skipped = [entry(sample, status=Status.SKIPPED) for sample in ("s1", "s2")]
    survey = Survey([entry("s0"), *skipped, entry(ONCE, "all", Status.LOST)])
    assert survey.count("a") == {"SUCCEEDED": 1, "FAILED": 0, "SKIPPED": 2}
    assert survey.count("all") == {"SUCCEEDED": 0, "FAILED": 0, "LOST": 1}
    assert survey.count("none") == {"SUCCEEDED": 0, "FAILED": 0}


def test_a_sample_failed_when_one_of_its_steps_did_not_succeed_and_what_runs_once_is_no_sample() -> None:
    survey = Survey(
        [
            entry("s0"),
            entry("s1", "a", Status.FAILED),
            entry("s1", "b", Status.SKIPPED),
            entry(ONCE, "all", Status.FAILED),
        ]
    )
    assert survey.failed == {"s1"}


def test_troubles_are_the_first_that_failed_by_themselves_and_all_are_counted() -> None:
    failed = [entry(f"s{number}", status=Status.FAILED) for number in range(SHOWN + 5)]
    survey = Survey([entry("x", "b", Status.SKIPPED), *failed])
    assert survey.troubles == failed[:SHOWN]
    assert survey.trouble_count == SHOWN + 5


def test_what_batch_forgot_is_a_trouble_too_and_what_still_runs_is_none() -> None:
    lost = entry("s1", status=Status.LOST)
    survey = Survey([entry("s0", status=Status.RUNNING), lost, entry("s2")])
    assert (survey.troubles, survey.trouble_count) == ([lost], 1)


def test_a_survey_of_nothing_is_empty() -> None:
    survey = Survey([])
    assert (survey.counts, survey.failed, survey.troubles) == ({}, set(), [])
    assert (survey.trouble_count, survey.once, list(survey.entries())) == (0, {}, [])


def test_what_runs_once_can_be_looked_up_by_its_step() -> None:
    index, everything = entry(ONCE, "index"), entry(ONCE, "all", Status.FAILED, "exit code 1")
    assert Survey([index, entry("s0"), everything]).once == {"index": index, "all": everything}


def test_a_trouble_is_named_by_its_sample_and_step_with_all_that_is_known_of_it() -> None:
    failed = Entry(
        sample="s1", step="a", status=Status.FAILED, attempts=2, exit_code=3, reason="exit code 3",
        seconds=2.5, log="d/default/1", job_id="A:1",
    )  # fmt: skip
    assert troubles_json([failed]) == [
        {
            "sample": "s1",
            "step": "a",
            "status": "FAILED",
            "attempts": 2,
            "exit_code": 3,
            "reason": "exit code 3",
            "seconds": 2.5,
            "log": "d/default/1",
        }
    ]


def test_the_entries_come_again_in_the_same_order_as_often_as_asked() -> None:
    entries = [entry("it's; $(x) = 'é\"'", reason="a, b"), entry("=1+1", status=Status.FAILED, reason="c")]
    survey = Survey(entries)
    assert list(survey.entries()) == entries
    assert list(survey.entries()) == entries


@pytest.mark.parametrize(
    ("statuses", "has_ended", "is_cancelled", "state"),
    [
        ([Status.SUCCEEDED], False, False, RunState.RUNNING),
        ([Status.SUCCEEDED], True, False, RunState.SUCCEEDED),
        ([Status.SUCCEEDED], True, True, RunState.SUCCEEDED),
        ([Status.SUCCEEDED, Status.FAILED], True, False, RunState.FAILED),
        ([Status.SUCCEEDED, Status.LOST], True, False, RunState.FAILED),
        ([Status.SUCCEEDED, Status.PENDING], True, False, RunState.FAILED),
        ([Status.SUCCEEDED, Status.SKIPPED], True, True, RunState.CANCELLED),
        ([Status.FAILED], False, True, RunState.RUNNING),
    ],
)
def test_a_run_stands_as_all_its_children_do(
    statuses: list[Status], has_ended: bool, is_cancelled: bool, state: RunState
) -> None:
    survey = Survey(entry(f"s{number}", status=status) for number, status in enumerate(statuses))
    assert survey.state(has_ended=has_ended, is_cancelled=is_cancelled) == state
