"""One run's records in its bucket: typed, and read back as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cloud.run_folder import RunFolder
from pipeline.errors import InputError, RefusedError
from pipeline.model.entry import ONCE, Entry
from pipeline.model.run import FORMAT, JobRecord, Run, SubmittedJob
from pipeline.model.sheet import SampleSheet
from pipeline.model.status import Status
from tests.pipeline.lab import Lab, plan_run, sheet_of

TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30)
ENTRIES = st.builds(
    Entry,
    sample=TEXT,
    step=st.sampled_from(["a", "b"]),
    status=st.sampled_from(Status),
    attempts=st.integers(0, 10),
    exit_code=st.none() | st.integers(0, 255),
    reason=st.none() | TEXT,
    seconds=st.none() | st.floats(0, 1e6),
    log=st.none() | TEXT,
    job_id=st.none() | TEXT,
)
JOBS = st.builds(
    SubmittedJob,
    job_id=TEXT,
    job_name=TEXT,
    size=st.integers(1, 10_000),
    first_row=st.integers(0, 1_000_000),
)


class Memory:
    """A bucket that keeps streams and bytes, for what is asked many times over."""

    name = "lab"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def upload_stream(self, stream: object, key: str) -> None:
        self.objects[key] = stream.read()  # type: ignore[attr-defined]

    def download_to(self, key: str, stream: object) -> None:
        stream.write(self.objects[key])  # type: ignore[attr-defined]


@pytest.fixture
def folder(lab: Lab) -> Iterator[RunFolder]:
    yield lab.adopt(plan_run(lab.folder, ["s0", "s1"]), ["s0", "s1"]).folder


@given(st.lists(ENTRIES, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_entries_come_back_from_the_ledger(entries: list[Entry]) -> None:
    found = RunFolder(Memory(), "toy-1")  # type: ignore[arg-type]
    found.write_ledger(entries)
    assert list(found.ledger()) == entries


@given(st.builds(JobRecord, step=TEXT, jobs=st.lists(JOBS, max_size=3).map(tuple)))
def test_any_job_record_comes_back_from_json(record: JobRecord) -> None:
    assert JobRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@given(
    samples=st.integers(1, 25_000),
    max_parallel=st.none() | st.integers(1, 100),
    parameters=st.dictionaries(st.sampled_from(["K", "PANEL"]), TEXT),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_run_comes_back_from_json(
    tmp_path: Path, samples: int, max_parallel: int | None, parameters: dict[str, str]
) -> None:
    run = plan_run(tmp_path, samples, order={"max_parallel": max_parallel}, parameters=parameters)
    assert Run.from_json(json.loads(json.dumps(run.to_json()))) == run


def test_a_record_names_its_format_its_id_and_its_uri(folder: RunFolder) -> None:
    value = folder.bucket.read_json(folder.keys.run)
    assert (value["format"], value["run"], value["uri"]) == (FORMAT, "toy-1", "s3://lab/runs/toy-1")


def test_a_record_of_a_version_that_wrote_more_is_read(lab: Lab, folder: RunFolder) -> None:
    value = folder.bucket.read_json(folder.keys.run)
    value["weather"] = "fine"
    value["steps"][0]["colour"] = "blue"
    value["steps"][0]["jobs"][0]["shape"] = "round"
    folder.bucket.write_json(folder.keys.run, value)
    assert RunFolder(lab.bucket, "toy-1").run == folder.run


@pytest.mark.parametrize("number", [None, 1, FORMAT + 1])
def test_a_record_of_another_format_is_refused_with_the_way_out(
    lab: Lab, folder: RunFolder, number: int | None
) -> None:
    value = folder.bucket.read_json(folder.keys.run)
    value["format"] = number
    if number is None:
        del value["format"]
    folder.bucket.write_json(folder.keys.run, value)
    with pytest.raises(InputError) as refused:
        _ = RunFolder(lab.bucket, "toy-1").run
    [problem] = refused.value.problems
    assert problem.what == f"the run's record has format {number or 1}; this version reads format {FORMAT}"
    assert problem.where == "s3://lab/runs/toy-1/run.json"
    assert problem.fix == "use the version of this program that started it"


def test_a_run_is_there_once_it_is_pinned(lab: Lab, folder: RunFolder) -> None:
    assert not RunFolder(lab.bucket, "nothing").exists()
    assert folder.exists()


def test_a_run_is_open_from_its_record_to_its_summary(lab: Lab, folder: RunFolder) -> None:
    assert not RunFolder(lab.bucket, "nothing").is_open()
    assert folder.is_open()
    folder.write_summary({"state": "SUCCEEDED"})
    assert not folder.is_open()
    assert folder.summary() == {"state": "SUCCEEDED"}


def test_nothing_is_left_of_a_run_that_was_taken_back(lab: Lab, folder: RunFolder) -> None:
    folder.unpin()
    assert lab.runs() == []


def test_rows_are_pinned_in_chunks_and_read_one_after_the_other(lab: Lab) -> None:
    names = [f"s{number}" for number in range(2001)]
    folder = lab.adopt(plan_run(lab.folder, names), names).folder
    chunks = [found.key for found in lab.bucket.objects(folder.keys.rows)]
    assert [key.rpartition("/")[2] for key in chunks] == ["00000.tsv", "00001.tsv", "00002.tsv"]
    assert list(folder.work()) == names


def test_the_names_of_some_rows_cost_only_the_chunks_that_hold_them(lab: Lab) -> None:
    names = [f"s{number}" for number in range(3000)]
    folder = lab.adopt(plan_run(lab.folder, names), names).folder
    before = lab.cloud.calls["GetObject"]
    assert folder.names([7, 2999, 8]) == {7: "s7", 2999: "s2999", 8: "s8"}
    assert lab.cloud.calls["GetObject"] - before == 2


def test_the_pinned_sheet_comes_back_with_its_columns(lab: Lab) -> None:
    sheet = SampleSheet(("sample", "a b"), (("s0", "x, y"), ("é", "")))
    run = plan_run(lab.folder, ["s0", "é"])
    lab.adopt(run, ["s0", "é"], sheet)
    assert RunFolder(lab.bucket, run.id).sheet() == sheet


def test_records_are_told_in_the_runs_order_and_only_of_what_was_submitted(folder: RunFolder) -> None:
    for name in ("b", "index"):
        folder.write_record(JobRecord(step=name, jobs=()))
    assert list(folder.records()) == ["index", "b"]


def test_a_record_is_asked_for_again_until_it_is_there(lab: Lab, folder: RunFolder) -> None:
    assert folder.record("a") is None
    RunFolder(lab.bucket, "toy-1").write_record(JobRecord(step="a", jobs=()))
    assert folder.record("a") == JobRecord(step="a", jobs=())


def test_turns_are_numbered_and_each_is_taken_once(folder: RunFolder) -> None:
    assert folder.last_turn() == (0, None)
    assert folder.take_turn(1, {"pid": 1})
    assert not folder.take_turn(1, {"pid": 2})
    assert folder.take_turn(12, {"pid": 3})
    assert folder.last_turn()[0] == 12
    assert folder.who_has_turn(1) == {"pid": 1}


def test_what_failed_children_wrote_is_read_by_step_and_child(lab: Lab, folder: RunFolder) -> None:
    lab.bucket.write_json(folder.keys.failure("a", "s0"), {"reason": "x"})
    lab.bucket.write_json(folder.keys.failure("all", ONCE), {"reason": "y"})
    wanted = [("a", "s0"), ("a", "s1"), ("all", ONCE)]
    assert folder.failures(wanted) == {("a", "s0"): {"reason": "x"}, ("all", ONCE): {"reason": "y"}}
    assert folder.failures([]) == {}


def test_a_row_of_a_submitted_array_is_a_child_and_back(tmp_path: Path) -> None:
    job = SubmittedJob(job_id="A", job_name="a", size=4, first_row=10)
    assert (job.child_id(12), job.row("A:2")) == ("A:2", 12)
    plain = replace(job, size=1)
    assert (plain.child_id(10), plain.row("A")) == ("A", 10)
    record = JobRecord(step="a", jobs=(job, replace(job, job_id="B", first_row=14)))
    found = record.job_of_row(14)
    assert found is not None
    assert found.job_id == "B"
    assert record.job_of_row(18) is None


def test_a_pinned_run_needs_no_rows_where_only_what_runs_once_is_left(lab: Lab) -> None:
    folder = RunFolder(lab.bucket, "toy-1")
    folder.pin(replace(plan_run(lab.folder, ["s0"]), rows=0), sheet_of(["s0"]), sheet_of([]))
    assert list(folder.work()) == []


def test_rows_that_are_gone_are_told_and_never_taken_for_none(lab: Lab, folder: RunFolder) -> None:
    lab.bucket.delete(folder.keys.chunk(0))
    with pytest.raises(RefusedError, match="rows are not all there"):
        list(folder.work())
