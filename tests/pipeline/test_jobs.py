"""From a plan to SubmitJob requests: arrays, shards and dependencies."""

from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from pipeline.code import pack
from pipeline.definition import job_definition
from pipeline.errors import InputError
from pipeline.jobs import MAX_ARRAY, Order, make_run, shards, submit_request
from pipeline.plan import Inventory, make_plan
from pipeline.run import Run
from pipeline.sheet import SampleSheet
from pipeline.site import Site
from tests.pipeline.examples import LAYOUT, toy

ORDER = Order("toy-1", "local", "2026-01-01T00:00:00+00:00", Site({"base": "registry/base@sha256:0"}))


def plan_run(folder: Path, samples: int, **changes: object) -> Run:
    pipeline = toy(folder, **changes)
    sheet = SampleSheet(("sample",), tuple((f"s{number}",) for number in range(samples)))
    fingerprints = {step.name: "f" for step in pipeline.steps}
    plan = make_plan(pipeline, sheet, layout=LAYOUT, inventory=Inventory({}, {}), fingerprints=fingerprints)
    return make_run(pipeline, plan, layout=LAYOUT, code=pack(pipeline), order=ORDER)


def requests(run: Run) -> dict[str, dict[str, Any]]:
    job_ids = {job.name: f"id of {job.name}" for step in run.steps for job in step.jobs}
    return {job.name: submit_request(run, step, job, job_ids) for step in run.steps for job in step.jobs}


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


def test_more_jobs_upstream_than_batch_allows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="21 jobs"):
        plan_run(tmp_path, 20 * MAX_ARRAY + 1)


@given(st.integers(1, 1_000_000))
def test_shards_cover_the_rows_once_in_legal_sizes(size: int) -> None:
    pieces = shards(size)
    assert len(pieces) == -(-size // MAX_ARRAY)
    assert [first for first, _ in pieces] == [sum(n for _, n in pieces[:i]) for i in range(len(pieces))]
    assert sum(length for _, length in pieces) == size
    assert all(length <= MAX_ARRAY and (length > 1 or size == 1) for _, length in pieces)


def test_every_request_is_one_that_botocore_accepts(tmp_path: Path) -> None:
    model = Session().get_service_model("batch")
    run = plan_run(tmp_path, 8)
    for request in requests(run).values():
        shape = model.operation_model("SubmitJob").input_shape
        assert shape
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
    for step in run.steps:
        shape = model.operation_model("RegisterJobDefinition").input_shape
        assert shape
        report = ParamValidator().validate(dict(step.definition), shape)
        assert not report.has_errors(), report.generate_report()


def test_a_run_is_the_same_after_a_round_trip_through_json(tmp_path: Path) -> None:
    import json

    run = plan_run(tmp_path, 3)
    assert Run.from_json(json.loads(json.dumps(run.to_json()))) == run


def test_a_reclaimed_host_is_tried_again_and_the_programs_own_failure_only_when_told(tmp_path: Path) -> None:
    never, twice = toy(tmp_path).step("b"), toy(tmp_path, retries=2).step("b")
    strategy = job_definition("toy", never, Site())["retryStrategy"]
    assert [entry["action"] for entry in strategy["evaluateOnExit"]] == ["RETRY", "EXIT"]
    strategy = job_definition("toy", twice, Site())["retryStrategy"]
    assert strategy["attempts"] == 3
    assert {"onExitCode": "65", "action": "EXIT"} in strategy["evaluateOnExit"]


def test_a_step_that_mounts_is_privileged_and_told_the_buckets_folders(tmp_path: Path) -> None:
    run = plan_run(tmp_path, 3, mounts=["input", "output"])
    b = next(step for step in run.steps if step.name == "b")
    assert b.definition["containerProperties"]["privileged"] is True
    assert b.jobs[0].environment["MOUNT_INPUT"] == "s3://lab/input"
    assert b.jobs[0].environment["MOUNT_OUTPUT"] == "s3://lab/results/toy/hg38/b"
    assert "privileged" not in run.steps[0].definition["containerProperties"]


def test_only_a_foreign_input_gets_the_secrets_keys(tmp_path: Path) -> None:
    site = Site(input_keys_arn="arn:secret")
    foreign = toy(tmp_path, mounts=["input"], parameters={"MOUNT_INPUT": "s3://theirs/data"}).step("b")
    secrets = job_definition("toy", foreign, site)["containerProperties"]["secrets"]
    assert secrets[0] == {"name": "MOUNT_INPUT_ACCESS_KEY_ID", "valueFrom": "arn:secret:access_key_id::"}
    own = toy(tmp_path, mounts=["input"]).step("b")
    assert "secrets" not in job_definition("toy", own, site)["containerProperties"]


def test_the_same_step_has_the_same_definition_and_a_changed_need_another(tmp_path: Path) -> None:
    pipeline, again = toy(tmp_path), toy(tmp_path)
    bigger = toy(tmp_path, memory_mib=9000)
    name = job_definition("toy", pipeline.step("b"), Site())["jobDefinitionName"]
    assert job_definition("toy", again.step("b"), Site())["jobDefinitionName"] == name
    assert job_definition("toy", bigger.step("b"), Site())["jobDefinitionName"] != name
