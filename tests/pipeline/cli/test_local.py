"""`local`: what is typed wrongly is told, and what it did too; no server is started."""

from __future__ import annotations

from typing import Any

import pytest

from examples.fusion_demo import __main__ as demo
from pipeline.cli.main import main
from pipeline.cloud import local
from tests.pipeline.lab import Lab


@pytest.mark.parametrize("word", ["abc", "", "nan", "1.5", "-0.1"])
def test_a_share_that_is_none_is_refused(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(local, "fault", lambda *_: pytest.fail("it was sent"))
    assert main(lab.pipeline(), ["local", "fault", "slow-s3", f"share={word}"]) == 2
    assert capsys.readouterr().err == (
        f"share={word} is no number from 0 to 1\n  where: local fault\n  fix:   such as share=0.1\n"
    )


def test_a_share_is_sent_as_a_number_and_jobs_as_a_list(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(local, "fault", lambda _name, members: sent.append(members))
    assert main(lab.pipeline(), ["local", "fault", "throttle", "share=1", "operations=A,B"]) == 0
    assert sent == [{"share": 1.0, "operations": ["A", "B"]}]


@pytest.mark.parametrize(
    ("is_running", "said"),
    [
        (True, "stopped; what was running is taken up by the next start\n"),
        (False, "it was not running\n"),
    ],
)
def test_stop_says_what_it_did(
    lab: Lab,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_running: bool,
    said: str,
) -> None:
    stopped: list[bool] = []
    monkeypatch.setattr(local, "status", lambda: {"running": is_running})
    monkeypatch.setattr(local, "stop", lambda: stopped.append(True))
    assert main(lab.pipeline(), ["local", "stop"]) == 0
    assert stopped == [True]
    assert capsys.readouterr().err == said


def test_what_the_demo_says_to_try_begins_with_the_right_python() -> None:
    assert demo._NEXT[0].startswith("source .venv/bin/activate ")
