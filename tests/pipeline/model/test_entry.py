"""A child's end outlives the ledger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.entry import COLUMNS, Entry, unchanged
from pipeline.model.status import Status

lines = st.text(st.characters(categories=["L", "N", "P"]), min_size=1)
entries = st.builds(
    Entry,
    sample=lines,
    step=lines,
    status=st.sampled_from(Status),
    attempts=st.integers(0, 10),
    exit_code=st.none() | st.integers(0, 255),
    reason=st.none() | lines,
    seconds=st.none() | st.floats(0, 1e6),
    log=st.none() | lines,
    job_id=st.none() | lines,
)


@given(entries)
def test_an_entry_comes_out_of_its_cells_as_it_went_in(entry: Entry) -> None:
    assert Entry.from_cells(entry.to_row()) == entry


def test_a_row_has_a_cell_for_each_column_and_none_is_an_empty_one() -> None:
    entry = Entry(sample="x", step="picard", status=Status.FAILED, attempts=2, exit_code=0)
    assert dict(zip(COLUMNS, entry.to_row(), strict=True)) == {
        "sample": "x",
        "step": "picard",
        "status": "FAILED",
        "attempts": "2",
        "exit_code": "0",
        "reason": "",
        "seconds": "",
        "log": "",
        "job_id": "",
    }


def test_cells_of_another_number_are_no_entry() -> None:
    with pytest.raises(ValueError, match="zip"):
        Entry.from_cells(Entry(sample="x", step="s", status=Status.FAILED).to_row()[:-1])


def test_a_reason_of_several_lines_is_one_line_of_the_ledger() -> None:
    entry = Entry(sample="x", step="picard", status=Status.FAILED, reason="one\ntwo\r\nthree")
    assert "one two three" in entry.to_row()


def test_a_column_of_a_later_version_is_left_out() -> None:
    entry = Entry(sample="x", step="picard", status=Status.FAILED)
    row = dict(zip(COLUMNS, entry.to_row(), strict=True)) | {"new": "1"}
    assert Entry.from_row(row) == entry


def test_status_shows_all_but_the_sample_the_step_and_the_job() -> None:
    shown = Entry(sample="x", step="picard", status=Status.FAILED, job_id="id", seconds=1.5).to_json()
    assert shown == {
        "status": "FAILED",
        "attempts": 0,
        "exit_code": None,
        "reason": None,
        "seconds": 1.5,
        "log": None,
    }


def test_a_result_that_stood_before_the_run_succeeded_unchanged() -> None:
    entry = unchanged("x", "picard")
    assert (entry.sample, entry.step, entry.status) == ("x", "picard", Status.SUCCEEDED)
    assert entry.reason == "unchanged: done before this run"
    assert entry.attempts == 0
