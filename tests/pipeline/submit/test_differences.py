"""The same command follows an open run; another one is told each thing in which it differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.run import Run
from pipeline.submit.differences import differences
from tests.pipeline.lab import QUEUE_ARN, plan_run


@pytest.fixture
def found(tmp_path: Path) -> Run:
    return plan_run(tmp_path, 3)


def test_the_same_command_at_another_time_differs_in_nothing(tmp_path: Path, found: Run) -> None:
    later = plan_run(tmp_path, 3, order={"run_id": "toy-2", "created_at": "2026-01-02T00:00:00+00:00"})
    assert differences(later, found) == []


def test_a_run_of_which_a_part_is_done_by_now_is_still_the_same(found: Run) -> None:
    done = replace(found, rows=1, steps=tuple(replace(step, jobs=(), done=3) for step in found.steps))
    assert differences(done, found) == []


def test_other_samples_are_told_by_their_number_or_as_others(tmp_path: Path, found: Run) -> None:
    assert differences(plan_run(tmp_path, 4), found) == ["the sample sheet has 4 samples, the run's has 3"]
    [told] = differences(plan_run(tmp_path, ["x", "y", "z"]), found)
    assert "other samples or columns" in told


@pytest.mark.parametrize("change", [{"memory_mib": 9000}, {"vcpus": 4}, {"timeout_s": 600}, {"retries": 2}])
def test_another_machine_for_a_step_is_told(tmp_path: Path, found: Run, change: dict[str, Any]) -> None:
    [told] = differences(plan_run(tmp_path, 3, **change), found)
    assert told.startswith("step 'b' asks for other memory")


def test_another_fingerprint_of_a_step_is_told(found: Run) -> None:
    steps = tuple(replace(step, fingerprint="g") if step.name == "a" else step for step in found.steps)
    assert differences(replace(found, steps=steps), found) == [
        "step 'a' has another script, image, parameter or declaration"
    ]


def test_another_list_of_steps_is_told_in_the_pipelines_order(found: Run) -> None:
    fewer = replace(found, steps=found.steps[:1])
    names = ["'a'", "'b'", "'all'"]
    assert differences(fewer, found) == [
        f"step {name} is in the run and not in the pipeline" for name in names
    ]
    assert differences(found, fewer) == [f"step {name} is not in the run" for name in names]


def test_another_order_of_steps_is_told(found: Run) -> None:
    steps = tuple(replace(step, after=("a",)) if step.name == "b" else step for step in found.steps)
    assert differences(replace(found, steps=steps), found) == ["step 'b' comes after other steps"]


def test_another_number_at_a_time_is_told(found: Run) -> None:
    assert differences(replace(found, max_parallel=2), found) == ["--max-parallel is 2, the run's is None"]


def test_another_queue_is_told_by_its_name_and_one_of_the_same_name_elsewhere_by_its_arn(found: Run) -> None:
    other = replace(found, queue="big", queue_arn=QUEUE_ARN.replace("stub", "big"))
    assert differences(other, found) == ["the queue is 'big', the run's is 'stub'"]
    elsewhere = replace(found, queue_arn=QUEUE_ARN.replace("us-east-1", "eu-west-1"))
    [told] = differences(elsewhere, found)
    assert "eu-west-1" in told
    assert "us-east-1" in told


def test_another_input_place_is_told(found: Run) -> None:
    [told] = differences(replace(found, input="s3://lab/batch-2"), found)
    assert told == "the input place is s3://lab/batch-2, the run's is s3://lab/input"
