"""A file that would leave the step's folder, or pass for a marker, is not published."""

from pathlib import Path

import pytest

from steps.library.contract import MarkerName, due, made
from steps.library.failure import DATA_ERROR, USAGE, Failure
from steps.library.outputs import check_output


@pytest.fixture(autouse=True)
def _in_a_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a/..", "./a", "a//b", "a/", "", "."])
def test_a_name_that_is_no_plain_path_below_the_working_folder_is_refused(name: str) -> None:
    with pytest.raises(Failure, match="name a file below the working folder") as caught:
        check_output(name, 0)
    assert caught.value.exit_code == USAGE


def test_a_markers_name_is_refused() -> None:
    name = str(MarkerName(None, due("f", {}, {}), made({})))
    Path(name).touch()
    with pytest.raises(Failure, match="that is a marker's name"):
        check_output(name, 0)


def test_a_file_in_a_folder_is_published_under_its_path() -> None:
    Path("plots").mkdir()
    Path("plots/..a b.png").write_text("x")
    check_output("plots/..a b.png", 1)


def test_a_file_that_is_missing_or_too_small_is_told() -> None:
    Path("small").write_text("x")
    for name, told in (("none", "none was not made"), ("small", "small has 1 bytes, fewer than 2")):
        with pytest.raises(Failure, match=told) as caught:
            check_output(name, 2)
        assert caught.value.exit_code == DATA_ERROR
