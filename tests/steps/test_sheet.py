"""A child reads its own rows, and a step sees the columns that it declares."""

import pytest

from fetch_and_run import s3
from steps.library.contract import chunk_name
from steps.library.failure import DataError
from steps.library.sheet import Columns, Sheet
from tests.steps.conftest import URL, job
from tests.steps.hostile import ILLEGAL, NAMES
from tests.steps.objects import Objects


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    objects = Objects()
    monkeypatch.setattr(s3, "read", objects.read)
    for chunk in range(3):
        lines = [f"s{1000 * chunk + row}\t{row}" for row in range(1000 if chunk < 2 else 5)]
        text = "\n".join(["sample\tlane", *lines, ""])
        objects.content[f"{URL}/runs/r1/rows/{chunk_name(chunk)}"] = text.encode()
    return objects


@pytest.mark.parametrize("row", [0, 999, 1000, 2004])
def test_a_child_reads_only_the_chunk_that_holds_its_row(objects: Objects, row: int) -> None:
    told = job("upper", row=row)
    sheet = Sheet.of(told)
    assert sheet.sample(told) == f"s{row}"
    assert sheet.rows() == [{"sample": f"s{row}", "lane": str(row % 1000)}]
    assert objects.requests == [f"GET {URL}/runs/r1/rows/{row // 1000:05d}.tsv"]


def test_a_row_beyond_the_sheet_is_refused(objects: Objects) -> None:
    with pytest.raises(DataError, match="the sample sheet has 5 rows; this child is row 5"):
        Sheet.of(job("upper", row=2005))


def test_a_chunk_that_is_gone_is_named(objects: Objects) -> None:
    with pytest.raises(DataError, match=r"pinned sample sheet is gone: .*rows/00003\.tsv"):
        Sheet.of(job("upper", row=3000))


def test_beside_a_reference_no_sheet_is_read(objects: Objects) -> None:
    assert Sheet.of(job("index", scope="reference")).rows() == []
    assert objects.requests == []


def test_a_step_sees_the_sample_and_its_declared_columns_alone() -> None:
    sheet = Sheet(["sample", "lane", "k"], ["s1\t7\t31", "s2\t8\t21"])
    assert sheet.only(["k"]) == Sheet(["sample", "k"], ["s1\t31", "s2\t21"])
    assert sheet.only(["sample"]) == sheet.only([]) == Sheet(["sample"], ["s1", "s2"])


def test_a_declared_column_that_the_sheet_does_not_have_is_named() -> None:
    with pytest.raises(DataError, match="the sheet has no column 'k': it has 'sample', 'lane'"):
        Sheet(["sample", "lane"], []).only(["k"])


def test_a_column_that_is_not_declared_says_how_to_declare_it() -> None:
    columns = Columns({"sample": "s1"}, ["sample", "lane"])
    with pytest.raises(
        DataError, match=r"the column 'lane' is not declared: give the step columns=\['lane'\]"
    ):
        columns["lane"]
    with pytest.raises(DataError, match="the sheet has no column 'k'"):
        columns["k"]
    assert columns == {"sample": "s1"}


def test_a_step_of_the_whole_run_has_no_row_of_its_own() -> None:
    with pytest.raises(DataError, match=r"child\.sheet\.rows\(\) gives every sample's"):
        Columns({}, ["sample", "lane"])["lane"]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_a_name(name: str) -> None:
    assert Sheet(["sample"], [name]).rows() == [{"sample": name}]


@pytest.mark.parametrize("name", ILLEGAL)
def test_a_name_that_would_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="would leave its folder"):
        Sheet(["sample"], [name]).rows()
