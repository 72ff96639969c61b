"""From a plan to SubmitJob requests: arrays, shards, dependencies, and what a child is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Pipeline, Step, optional
from pipeline.errors import InputError
from pipeline.model.layout import Layout
from pipeline.model.pipeline import Per
from pipeline.model.run import Job, Run, RunStep
from pipeline.model.sheet import SampleSheet
from pipeline.model.site import Site
from pipeline.plan.code import pack
from pipeline.plan.plan import Plan, StepPlan, Version
from pipeline.submit import jobs
from pipeline.submit.definition import job_definition
from pipeline.submit.jobs import MAX_ARRAY, MAX_OVERRIDES, Order, make_run, shards, submit_request
from steps.library import contract
from tests.pipeline.examples import toy
from tests.pipeline.lab import ACCOUNT, CREATED_AT, QUEUE_ARN, REGION, new_plan, plan_run, run_of, sheet_of


def requests(run: Run) -> dict[str, dict[str, Any]]:
    job_ids = {job.name: f"id of {job.name}" for step in run.steps for job in step.jobs}
    return {job.name: submit_request(run, step, job, job_ids) for step in run.steps for job in step.jobs}


def variables(request: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in request["containerOverrides"]["environment"]}


SITE = Site({"base": "registry/base@sha256:0"}, environment={"AWS_REGION": "us-east-1"})
OF_B: dict[str, Any] = {
    "columns": ("dose",),
    "inputs": ["a/a.txt", optional("input/{plate}.csv"), "reference/genes.idx"],
    "parameters": {"K": "31"},
    "mounts": ["input", "output"],
    "vcpus": 2,
    "memory_mib": 4096,
}
SHEET = SampleSheet(("sample", "dose", "plate"), (("s0", "1", "p"), ("s1", "2", "p"), ("s2", "3", "q")))


def whole_run(
    folder: Path, *, of_b: dict[str, Any] = OF_B, drives_its_child: bool = False, **order: Any
) -> Run:
    """The toy's run over three samples with columns, of which s0 is done; a step's fingerprint says its name."""
    pipeline = toy(folder, **of_b)
    planned = new_plan(pipeline, SHEET)
    shares = tuple(replace(share, done=1) if share.step.per == "sample" else share for share in planned.steps)
    given = {"run_id": "toy-1", "queue": "stub", "queue_arn": QUEUE_ARN, "created_at": CREATED_AT}
    return make_run(
        pipeline,
        Plan(SHEET, SHEET.subset(["s1", "s2"]), shares),
        layout=Layout("lab", "toy", "hg38", "theirs"),
        code=pack(pipeline),
        versions={step.name: Version(f"f of {step.name}", drives_its_child) for step in pipeline.steps},
        order=Order(**{**given, "site": SITE, **order}),
    )


def test_a_run_has_what_goes_on_from_its_record_alone(tmp_path: Path) -> None:
    run = whole_run(tmp_path, max_parallel=4)
    assert replace(run, steps=()) == Run(
        id="toy-1",
        bucket="lab",
        queue="stub",
        queue_arn=QUEUE_ARN,
        region=REGION,
        account=ACCOUNT,
        pipeline="toy",
        reference="hg38",
        input="s3://lab/theirs",
        results="s3://lab/results/toy/hg38",
        created_at=CREATED_AT,
        sheet_digest=SHEET.digest(),
        samples=3,
        rows=2,
        steps=(),
        max_parallel=4,
    )
    assert [step.name for step in run.steps] == ["index", "a", "b", "all"]


def test_a_step_of_a_run_has_what_its_jobs_are_submitted_with(tmp_path: Path) -> None:
    run = whole_run(tmp_path)
    b = run.step("b")
    assert replace(b, environment={}) == RunStep(
        name="b",
        per=Per.SAMPLE,
        after=("a", "index"),
        done=1,
        output="s3://lab/results/toy/hg38/b",
        memory_mib=4096,
        fingerprint="f of b",
        definition=job_definition("toy", toy(tmp_path, **OF_B).step("b"), SITE),
        command=("steps/library/command.py", "b.sh"),
        environment={},
        jobs=(Job("toy-1-b", 2, 0, (("toy-1-a", "N_TO_N"), ("toy-1-index", None))),),
    )
    assert run.step("index").jobs == (Job("toy-1-index", 1, 0, ()),)
    assert run.step("all").jobs == (Job("toy-1-all", 1, 0, (("toy-1-b", None),)),)


def test_a_child_is_told_all_that_it_works_with(tmp_path: Path) -> None:
    sha256 = pack(toy(tmp_path, **OF_B)).steps["b"].sha256
    assert whole_run(tmp_path).step("b").environment == {
        "AWS_REGION": "us-east-1",
        "MOUNT_INPUT": "s3://lab/theirs",
        "MOUNT_OUTPUT": "s3://lab/results/toy/hg38/b",
        "K": "31",
        "BATCH_FILE_TYPE": "zip",
        "BATCH_FILE_S3_URL": f"s3://lab/code/{sha256}.zip",
        "BATCH_FILE_SHA256": sha256,
        "PIPELINE_RUN": "s3://lab/runs/toy-1",
        "PIPELINE_STEP": "b",
        "PIPELINE_SCOPE": "sample",
        "PIPELINE_ROWS": "s3://lab/runs/toy-1/rows",
        "PIPELINE_FIRST_ROW": "0",
        "PIPELINE_INPUT": "s3://lab/theirs",
        "PIPELINE_REFERENCE": "s3://lab/reference/hg38",
        "PIPELINE_OUTPUT": "s3://lab/results/toy/hg38/b",
        "PIPELINE_AFTER": '{"a": ["sample", "s3://lab/results/toy/hg38/a", "f of a"]}',
        "PIPELINE_FINGERPRINT": "f of b",
        "PIPELINE_COLUMNS": '["dose", "plate"]',
        "PIPELINE_INPUTS": '["a/a.txt", ["input/{plate}.csv", "optional"], "reference/genes.idx"]',
        "PIPELINE_OUTPUTS": '["b.txt"]',
        "PIPELINE_VCPUS": "2",
        "PIPELINE_MEMORY_MIB": "4096",
    }


@pytest.mark.parametrize(("drives_its_child", "told"), [(True, ["a"]), (False, [])])
def test_only_a_script_over_the_library_is_told_of_steps_of_which_it_declares_nothing(
    tmp_path: Path, drives_its_child: bool, told: list[str]
) -> None:
    run = whole_run(tmp_path, of_b={"inputs": []}, drives_its_child=drives_its_child)
    assert list(json.loads(run.step("b").environment["PIPELINE_AFTER"])) == told


def test_a_step_that_runs_once_is_told_its_own_scope_and_rows(tmp_path: Path) -> None:
    run = whole_run(tmp_path)
    told = {name: run.step(name).environment for name in ("index", "all")}
    assert [told["index"][f"PIPELINE_{name}"] for name in ("SCOPE", "ROWS", "OUTPUT")] == [
        "reference",
        "",
        "s3://lab/reference/hg38",
    ]
    assert [told["all"][f"PIPELINE_{name}"] for name in ("SCOPE", "ROWS", "OUTPUT")] == [
        "run",
        "s3://lab/runs/toy-1/samples.tsv",
        f"s3://lab/results/toy/hg38/all/{SHEET.cohort([])}",
    ]


def test_a_steps_parameters_outrank_its_site_and_its_mounts_and_nothing_outranks_the_run(
    tmp_path: Path,
) -> None:
    parameters = {"AWS_REGION": "eu-west-1", "MOUNT_INPUT": "s3://theirs/data", "PIPELINE_STEP": "another"}
    pipeline = toy(tmp_path, mounts=["input"], parameters=parameters)
    told = run_of(pipeline, new_plan(pipeline, SHEET), site=SITE).step("b").environment
    assert [told[name] for name in parameters] == ["eu-west-1", "s3://theirs/data", "b"]


def test_a_request_is_all_that_batch_is_told_of_a_job(tmp_path: Path) -> None:
    run = whole_run(tmp_path, max_parallel=4)
    b = run.step("b")
    assert requests(run)["toy-1-b"] == {
        "jobName": "toy-1-b",
        "jobQueue": "stub",
        "jobDefinition": b.definition["jobDefinitionName"],
        "dependsOn": [{"jobId": "id of toy-1-a", "type": "N_TO_N"}, {"jobId": "id of toy-1-index"}],
        "containerOverrides": {
            "command": ["steps/library/command.py", "b.sh"],
            "environment": [{"name": name, "value": value} for name, value in b.environment.items()],
        },
        "tags": {"run": "toy-1", "pipeline": "toy", "step": "b"},
        "propagateTags": True,
        "arrayProperties": {"size": 2},
        "consumableResourcePropertiesOverride": {
            "consumableResourceList": [{"consumableResource": "toy-1", "quantity": 1}]
        },
    }


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
    with pytest.raises(InputError) as refused:
        plan_run(tmp_path, 201)
    [problem] = refused.value.problems
    assert (problem.what, problem.where, problem.fix) == (
        "step 'all' would wait for 21 jobs; Batch allows 20",
        "201 samples in arrays of at most 10",
        "split the sample list and run the parts one after the other",
    )


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
    job = contract.Job.from_environment({**told, "AWS_BATCH_JOB_ARRAY_INDEX": "5"})
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


def told_characters(run: Run, job: str) -> int:
    """How much of what Batch limits a job is told."""
    return len(json.dumps(requests(run)[job]["containerOverrides"]))


def test_a_step_that_would_be_told_too_much_is_refused_with_its_largest_variables(tmp_path: Path) -> None:
    parameters = {"K": "31", "NOTE": "n" * 2500, "PANEL": "p" * 6000}
    without = plan_run(tmp_path, 8, parameters={**parameters, "PANEL": ""})
    with pytest.raises(InputError) as refused:
        plan_run(tmp_path, 8, parameters=parameters)
    [problem] = refused.value.problems
    url = without.step("b").environment["BATCH_FILE_S3_URL"]
    assert (problem.what, problem.where, problem.fix) == (
        f"step 'b' would be told {told_characters(without, 'toy-1-b') + 6000} characters; "
        f"Batch takes {MAX_OVERRIDES}",
        f"its variables: PANEL 6000, NOTE 2500, BATCH_FILE_S3_URL {len(url)}",
        "put long parameters into a file: files=[…] of the pipeline",
    )


def test_a_step_may_be_told_just_as_much_as_batch_takes(tmp_path: Path) -> None:
    room = MAX_OVERRIDES - told_characters(plan_run(tmp_path, 8, parameters={"NOTE": ""}), "toy-1-b")
    full = plan_run(tmp_path, 8, parameters={"NOTE": "n" * room})
    assert told_characters(full, "toy-1-b") == MAX_OVERRIDES
    with pytest.raises(InputError, match=f"told {MAX_OVERRIDES + 1} characters"):
        plan_run(tmp_path, 8, parameters={"NOTE": "n" * (room + 1)})


def test_the_array_that_is_told_the_longest_first_row_counts(tmp_path: Path) -> None:
    last = "toy-1-b-1"
    room = MAX_OVERRIDES - told_characters(plan_run(tmp_path, 10_001, parameters={"NOTE": ""}), last)
    with pytest.raises(InputError, match=f"told {MAX_OVERRIDES + 1} characters"):
        plan_run(tmp_path, 10_001, parameters={"NOTE": "n" * (room + 1)})


def test_a_run_knows_the_region_and_account_of_its_queue(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 2)
    assert (run.region, run.account) == (REGION, ACCOUNT)


def test_a_step_of_which_everything_stands_has_no_jobs_and_is_waited_for_by_nobody(tmp_path: Path) -> None:
    pipeline = toy(tmp_path)
    plan = new_plan(pipeline, sheet_of(["s0", "s1"]))
    shares = [StepPlan(one.step, {}, 2) if one.step.name == "a" else one for one in plan.steps]
    run = run_of(pipeline, Plan(plan.sheet, plan.work, tuple(shares)))
    found = requests(run)
    assert (run.step("a").jobs, run.step("a").environment) == ((), {})
    assert run.step("a").done == 2
    assert found["toy-1-b"]["dependsOn"] == [{"jobId": "id of toy-1-index"}]
