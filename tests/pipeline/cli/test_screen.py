"""What a person sees: columns in line, and nothing that moves in a pipe."""

from __future__ import annotations

import pytest

from pipeline.cli.screen import StepBars, say, table
from pipeline.follow.progress import Progress


def test_a_table_has_its_columns_in_line_and_none_is_an_empty_cell() -> None:
    assert table(["sample", "exit"], [["s0", 137], ["a long name", None]]).splitlines() == [
        "sample       exit",
        "s0           137",
        "a long name",
    ]


def test_what_is_said_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("one", "two")
    assert capsys.readouterr() == ("", "one\ntwo\n")


def test_where_stderr_is_no_terminal_there_are_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    bars = StepBars({"a": 3})
    bars.show({"a": Progress({}, 3, has_ended=False)})
    bars.say("it is slow")
    bars.stop()
    assert capsys.readouterr() == ("", "it is slow\n")
