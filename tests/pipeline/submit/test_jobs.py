"""From a plan to SubmitJob requests: arrays, shards, dependencies, and what a child is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Pipeline, Step
from pipeline.errors import InputError
from pipeline.model.run import Run
from pipeline.plan.plan import Plan, StepPlan
from pipeline.submit import jobs
from pipeline.submit.jobs import MAX_ARRAY, MAX_OVERRIDES, shards, submit_request
from steps.library.contract import Job
from tests.pipeline.examples import toy
from tests.pipeline.lab import ACCOUNT, REGION, new_plan, plan_run, run_of, sheet_of


def requests(run: Run) -> dict[str, dict[str, Any]]:
    job_ids = {job.name: f"id of {job.name}" for step in run.steps for job in step.jobs}
    return {job.name: submit_request(run, step, job, job_ids) for step in run.steps for job in step.jobs}


def variables(request: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in request["containerOverrides"]["environment"]}


def test_sample_to_sample_is_n_to_n_and_anything_else_waits_for_the_whole_job(tmp_path: Path) -> None:
    found = requests(plan_run(tmp_path, 8))
    assert found["toy-1-a"]["arrayProperties"] == {"size": 8}
    assert "arrayProperties" not in found["toy-1-index"]
    assert found["toy-1-b"]["dependsOn"] == [
        {"jobId": "id of toy-1-a", "type": "N_TO_N"},
        {"jobId": "id of toy-1-index"},
    ]
    assert found["toy-1-all"]["dependsOn"] == [{"jobId": "id of toy-1-b"}]


def test_one_sample_makes_plain_jobs(tmp_path: Path) -> None:
    found = requests(plan_run(tmp_path, 1))
    assert not any("arrayProperties" in request for request in found.values())
    assert {"jobId": "id of toy-1-a"} in found["toy-1-b"]["dependsOn"]


def test_shards_depend_on_the_shard_of_the_same_rows(tmp_path: Path) -> None:
    found = requests(plan_run(tmp_path, 10_001))
    assert [found[f"toy-1-a-{shard}"]["arrayProperties"]["size"] for shard in (0, 1)] == [5000, 5001]
    assert {"jobId": "id of toy-1-a-1", "type": "N_TO_N"} in found["toy-1-b-1"]["dependsOn"]
    assert found["toy-1-all"]["dependsOn"] == [{"jobId": "id of toy-1-b-0"}, {"jobId": "id of toy-1-b-1"}]


def test_more_jobs_upstream_than_batch_allows_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_ARRAY", 10)
    plan_run(tmp_path, 200)
    with pytest.raises(InputError, match="21 jobs"):
        plan_run(tmp_path, 201)


@given(st.integers(1, 1_000_000))
def test_shards_cover_the_rows_once_in_legal_sizes(size: int) -> None:
    pieces = shards(size)
    assert len(pieces) == -(-size // MAX_ARRAY)
    assert [first for first, _ in pieces] == [sum(n for _, n in pieces[:i]) for i in range(len(pieces))]
    assert sum(length for _, length in pieces) == size
    assert all(length <= MAX_ARRAY and (length > 1 or size == 1) for _, length in pieces)


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, []),
        (1, [(0, 1)]),
        (10_000, [(0, 10_000)]),
        (10_001, [(0, 5000), (5000, 5001)]),
        (100_000, [(first, 10_000) for first in range(0, 100_000, 10_000)]),
    ],
)
def test_rows_are_cut_into_as_few_balanced_arrays_as_can_be(size: int, pieces: list[tuple[int, int]]) -> None:
    assert shards(size) == pieces


def test_a_hundred_thousand_samples_through_three_steps_are_thirty_submits(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("#!/bin/sh\n")
    a = Step("a", "s.sh", outputs=["a.txt"])
    b = Step("b", "s.sh", after=[a], inputs=["a/a.txt"], outputs=["b.txt"])
    c = Step("c", "s.sh", after=[b], inputs=["b/b.txt"])
    pipeline = Pipeline("three", [a, b, c], folder=tmp_path)
    plan = new_plan(pipeline, sheet_of([f"s{number}" for number in range(100_000)]))
    assert len(requests(run_of(pipeline, plan))) == 30


def test_every_request_is_one_that_botocore_accepts(tmp_path: Path) -> None:
    model = Session().get_service_model("batch")
    run = plan_run(tmp_path, 8, order={"max_parallel": 4})
    asked = [("SubmitJob", request) for request in requests(run).values()]
    asked += [("RegisterJobDefinition", dict(step.definition)) for step in run.steps]
    for operation, request in asked:
        shape = model.operation_model(operation).input_shape
        assert shape
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()


def test_each_shard_is_told_its_first_row(tmp_path: Path) -> None:
    found = requests(plan_run(tmp_path, 10_001))
    assert [variables(found[f"toy-1-a-{n}"])["PIPELINE_FIRST_ROW"] for n in (0, 1)] == ["0", "5000"]


def test_a_child_reads_from_its_variables_what_the_client_meant(tmp_path: Path) -> None:
    told = variables(requests(plan_run(tmp_path, 8))["toy-1-b"])
    job = Job.from_environment({**told, "AWS_BATCH_JOB_ARRAY_INDEX": "5"})
    assert (job.step, job.scope, job.row) == ("b", "sample", 5)
    assert job.rows == "s3://lab/runs/toy-1/rows"
    assert job.run == "s3://lab/runs/toy-1"
    assert job.after["a"].output == "s3://lab/results/toy/hg38/a"
    assert [one.path for one in job.inputs] == ["a/a.txt"]


def test_with_max_parallel_every_job_asks_for_a_slot_of_the_run(tmp_path: Path) -> None:
    slot = {"consumableResourceList": [{"consumableResource": "toy-1", "quantity": 1}]}
    found = requests(plan_run(tmp_path, 8, order={"max_parallel": 4}))
    assert all(request["consumableResourcePropertiesOverride"] == slot for request in found.values())
    without = requests(plan_run(tmp_path, 8))
    assert not any("consumableResourcePropertiesOverride" in request for request in without.values())


def test_a_step_that_would_be_told_too_much_is_refused_with_its_largest_variables(tmp_path: Path) -> None:
    parameters = {"PANEL": "p" * 6000, "NOTE": "n" * 2500, "K": "31"}
    with pytest.raises(InputError) as refused:
        plan_run(tmp_path, 8, parameters=parameters)
    [problem] = refused.value.problems
    assert "step 'b'" in problem.what
    assert str(MAX_OVERRIDES) in problem.what
    assert problem.where.startswith("its variables: PANEL 6000, NOTE 2500")
    assert "files=" in problem.fix


def test_a_run_knows_the_region_and_account_of_its_queue(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    assert (run.region, run.account) == (REGION, ACCOUNT)


def test_a_step_of_which_everything_stands_has_no_jobs_and_is_waited_for_by_nobody(tmp_path: Path) -> None:
    pipeline = toy(tmp_path)
    plan = new_plan(pipeline, sheet_of(["s0", "s1"]))
    shares = [StepPlan(one.step, {}, 2) if one.step.name == "a" else one for one in plan.steps]
    run = run_of(pipeline, Plan(plan.sheet, plan.work, tuple(shares)))
    found = requests(run)
    assert run.step("a").jobs == ()
    assert run.step("a").done == 2
    assert found["toy-1-b"]["dependsOn"] == [{"jobId": "id of toy-1-index"}]
