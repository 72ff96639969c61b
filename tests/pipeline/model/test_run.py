"""A run's record is read as it was written, also by a version that knows less."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.model.pipeline import Per
from pipeline.model.run import FORMAT, Job, JobRecord, Run, RunStep, SubmittedJob

STEP = RunStep(
    name="picard",
    per=Per.SAMPLE,
    after=("index",),
    done=2,
    output="s3://lab/results/fusion/GRCh38/picard",
    memory_mib=2048,
    fingerprint="f",
    definition={"jobDefinitionName": "d"},
    command=("steps/picard.py",),
    environment={"PIPELINE_RUN": "s3://lab/runs/r1"},
    jobs=(Job("r1-picard-0", 3, 0, (("r1-index", None),)), Job("r1-picard-1", 4, 3, (("x", "N_TO_N"),))),
)
RUN = Run(
    id="r1",
    bucket="lab",
    queue="q",
    queue_arn="arn:q",
    region="eu-west-1",
    account="1",
    pipeline="fusion",
    reference="GRCh38",
    input="s3://lab/input",
    results="results/fusion/GRCh38",
    created_at="2026-01-01T00:00:00+00:00",
    sheet_digest="d",
    samples=9,
    rows=7,
    steps=(STEP,),
    max_parallel=5,
)


def written(run: Run = RUN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(run.to_json()))
    return document


def test_a_run_comes_out_of_its_record_as_it_went_in() -> None:
    assert Run.from_json(written()) == RUN
    assert Run.from_json(written(replace(RUN, max_parallel=None, steps=()))) == replace(
        RUN, max_parallel=None, steps=()
    )


def test_the_kind_of_a_step_is_a_per_again() -> None:
    assert Run.from_json(written()).steps[0].per is Per.SAMPLE


def test_what_a_later_version_adds_is_left_out() -> None:
    document = written()
    document["new"] = document["steps"][0]["new"] = document["steps"][0]["jobs"][0]["new"] = 1
    assert Run.from_json(document) == RUN


def test_the_record_names_the_run_its_uri_and_its_format() -> None:
    document = written()
    assert document["run"] == "r1"
    assert document["uri"] == RUN.uri == "s3://lab/runs/r1"
    assert document["format"] == FORMAT


@pytest.mark.parametrize(("value", "shown"), [(1, 1), (3, 3), (None, 1)])
def test_a_record_of_another_format_is_refused(value: int | None, shown: int) -> None:
    document = written() | {"format": value}
    if value is None:
        del document["format"]
    with pytest.raises(InputError) as caught:
        Run.from_json(document)
    [problem] = caught.value.problems
    assert problem.what == f"the run's record has format {shown}; this version reads format 2"
    assert problem.where == "s3://lab/runs/r1/run.json"
    assert problem.fix == "use the version of this program that started it"


def test_a_steps_size_counts_the_children_of_all_its_arrays() -> None:
    assert STEP.size == 7
    assert replace(STEP, jobs=()).size == 0


def test_a_step_of_a_run_is_found_by_its_name() -> None:
    assert RUN.step("picard") == STEP
    with pytest.raises(KeyError):
        RUN.step("none")


ARRAY = SubmittedJob(job_id="id-1", job_name="n", size=4, first_row=3)
PLAIN = SubmittedJob(job_id="id-2", job_name="m", size=1, first_row=7)


def test_a_child_of_an_array_is_called_by_its_index_and_a_plain_job_by_its_id() -> None:
    assert [ARRAY.child_id(row) for row in (3, 6)] == ["id-1:0", "id-1:3"]
    assert PLAIN.child_id(7) == "id-2"


def test_a_childs_row_is_told_by_its_id() -> None:
    assert [ARRAY.row(one) for one in ("id-1:0", "id-1:3")] == [3, 6]
    assert PLAIN.row("id-2") == 7


def test_a_job_record_knows_the_job_of_each_row() -> None:
    record = JobRecord(step="picard", jobs=(ARRAY, PLAIN))
    assert [record.job_of_row(row) for row in (2, 3, 6, 7, 8)] == [None, ARRAY, ARRAY, PLAIN, None]


def test_a_job_record_comes_out_as_it_went_in_whatever_a_later_version_adds() -> None:
    record = JobRecord(step="picard", jobs=(ARRAY, PLAIN))
    document = json.loads(json.dumps(record.to_json()))
    document["jobs"][0]["new"] = 1
    assert JobRecord.from_json(document) == record
