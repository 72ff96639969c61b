"""Closing: the ledger, the failed samples, the cleaning, and last the summary; twice is as once."""

from __future__ import annotations

import csv
import gzip
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.api.place import OpenRun
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.stub_batch import StubBatch, refusal
from pipeline.follow.close import close, survey_run
from pipeline.model.entry import ONCE
from pipeline.model.sheet import SampleSheet, parse_sheet
from tests.pipeline.lab import Lab

NOW = datetime.now(UTC)
HOSTILE = [
    "it's; rm -rf $HOME",
    "\"quoted\" and 'quoted'",
    "=HYPERLINK(1)",
    "a, b, c",
    "émile-日本-🧬",
    "-x --help",
    "100% {sample} %s",
    "x" * 255,
]
MANY_LINES = 'Traceback:\n  "line 3",\tof a file\r\nValueError: =bad\n'


def failed_at(lab: Lab, run: OpenRun, step: str, *indices: int) -> None:
    lab.batch.run_all(lambda name, index: 65 if name.endswith(f"-{step}") and index in indices else 0)


def close_it(lab: Lab, run: OpenRun) -> dict[str, Any]:
    return close(lab.again(run).folder, lab.batch, NOW, {"SubmitJob": 4})


def ledger_rows(lab: Lab, run: OpenRun) -> list[dict[str, str]]:
    """The ledger as a reader finds it that knows nothing of this program: tab-separated, with a header."""
    body = lab.bucket.read(run.run.keys.ledger)
    assert body is not None
    text = io.TextIOWrapper(io.BytesIO(gzip.decompress(body)), encoding="utf-8", newline="")
    return list(csv.DictReader(text, delimiter="\t", quotechar='"', doublequote=True))


def test_the_ledger_is_written_first_then_slots_are_deleted_and_the_summary_is_last(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.in_queue(max_parallel=2)
    lab.batch.run_all()
    done: list[str] = []
    write, upload, delete = Bucket.write, Bucket.upload_stream, StubBatch.delete_slots

    def written(bucket: Bucket, key: str, body: bytes) -> None:
        done.append(key.rpartition("/")[2])
        write(bucket, key, body)

    def uploaded(bucket: Bucket, stream: Any, key: str) -> None:
        done.append(key.rpartition("/")[2])
        upload(bucket, stream, key)

    def deleted(batch: StubBatch, name: str) -> bool:
        done.append("slots")
        return delete(batch, name)

    monkeypatch.setattr(Bucket, "write", written)
    monkeypatch.setattr(Bucket, "upload_stream", uploaded)
    monkeypatch.setattr(StubBatch, "delete_slots", deleted)
    close_it(lab, run)
    assert done == ["ledger.tsv.gz", "failed.txt", "slots", "summary.json"]


def test_a_client_that_dies_before_the_summary_leaves_an_open_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.in_queue()
    lab.batch.run_all()
    with monkeypatch.context() as patch:
        patch.setattr(type(run.folder), "write_summary", lambda _folder, _summary: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            close_it(lab, run)
    assert run.folder.is_open()
    assert close_it(lab, run)["state"] == "SUCCEEDED"


def test_slots_that_batch_does_not_let_go_do_not_keep_a_run_open(lab: Lab) -> None:
    run = lab.in_queue(max_parallel=2)
    lab.batch.create_slots("toy-1", 2)
    lab.batch.run_all()
    lab.batch.storm("delete_slots", refusal(400, "ClientException"))
    assert close_it(lab, run)["state"] == "SUCCEEDED"
    assert not run.folder.is_open()
    assert lab.batch.slots == {"toy-1": 2}


def test_closing_twice_gives_the_same(lab: Lab) -> None:
    run = lab.in_queue()
    failed_at(lab, run, "a", 1)
    first = close_it(lab, run)
    assert close_it(lab, run) == first


def test_two_who_close_at_once_leave_one_whole_end(lab: Lab) -> None:
    run = lab.in_queue()
    failed_at(lab, run, "a", 1)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: close_it(lab, run), range(2))
    assert first == second
    assert len(ledger_rows(lab, run)) == 2 * 3 + 2
    assert lab.bucket.read(run.run.keys.failed) == b"s1\n"


def test_the_summary_counts_children_by_step_and_names_what_failed_by_itself(lab: Lab) -> None:
    run = lab.in_queue()
    failed_at(lab, run, "a", 1)
    summary = close_it(lab, run)
    assert {step["name"]: step["counts"] for step in summary["steps"]} == {
        "index": {"SUCCEEDED": 1, "FAILED": 0},
        "a": {"SUCCEEDED": 2, "FAILED": 1},
        "b": {"SUCCEEDED": 2, "FAILED": 0, "SKIPPED": 1},
        "all": {"SUCCEEDED": 0, "FAILED": 0, "SKIPPED": 1},
    }
    assert summary["sample_counts"] == {"total": 3, "failed": 1}
    assert summary["failures"]["total"] == 1
    assert [(one["sample"], one["step"], one["exit_code"]) for one in summary["failures"]["first"]] == [
        ("s1", "a", 65)
    ]
    assert summary["state"] == "FAILED"
    assert summary["api_calls"] == {"SubmitJob": 4}


def test_the_summary_says_why_a_step_that_runs_once_did_not(lab: Lab) -> None:
    run = lab.in_queue()
    failed_at(lab, run, "a", 1)
    reasons = {step["name"]: step["reason"] for step in close_it(lab, run)["steps"]}
    assert reasons == {"index": None, "a": None, "b": None, "all": "skipped because a failed"}


def test_a_summary_says_when_the_run_was_closed(lab: Lab) -> None:
    run = lab.in_queue()
    lab.batch.run_all()
    close_it(lab, run)
    summary = lab.again(run).folder.summary()
    assert summary is not None
    assert datetime.fromisoformat(summary["closed_at"]) == NOW.replace(microsecond=0)


def test_hostile_names_and_reasons_of_several_lines_are_a_row_each_for_any_reader(lab: Lab) -> None:
    run = lab.in_queue(HOSTILE)
    failed_at(lab, run, "a", *range(len(HOSTILE)))
    for name in HOSTILE:
        lab.fail(run.run, "a", name, MANY_LINES)
    close_it(lab, run)
    rows = ledger_rows(lab, run)
    assert [row["sample"] for row in rows] == [name for name in HOSTILE for _ in "ab"] + [ONCE, ONCE]
    assert {row["reason"] for row in rows if row["step"] == "a"} == {
        'Traceback: "line 3", of a file ValueError: =bad'
    }
    assert [len(row) for row in rows] == [9] * len(rows)


def test_the_ledger_comes_back_as_it_was_surveyed(lab: Lab) -> None:
    run = lab.in_queue(HOSTILE)
    failed_at(lab, run, "a", 0, 3)
    _, survey = survey_run(lab.again(run).folder, lab.batch, NOW)
    close_it(lab, run)
    assert list(run.folder.ledger()) == list(survey.entries())


def failed_list(lab: Lab, sheet: SampleSheet, *indices: int) -> tuple[bytes, SampleSheet]:
    """failed.txt of a run over that sheet in which these samples failed, and what reading it as a list gives."""
    names = sheet.samples
    made = lab.in_queue(names)
    lab.bucket.write(made.run.keys.sheet, sheet.tsv())
    failed_at(lab, made, "a", *indices)
    close_it(lab, made)
    body = lab.bucket.read(made.run.keys.failed)
    assert body is not None
    return body, parse_sheet(body.decode(), "failed.txt")


def test_the_failed_samples_are_a_sample_list_again(lab: Lab) -> None:
    names = ["it's; rm -rf $HOME", "s1", "émile-日本", "=1+1"]
    sheet = SampleSheet(("sample",), tuple((name,) for name in names))
    body, again = failed_list(lab, sheet, 0, 2, 3)
    assert again.samples == [names[0], names[2], names[3]]
    assert body.decode().splitlines() == again.samples


def test_the_failed_samples_keep_their_columns(lab: Lab) -> None:
    sheet = SampleSheet(("sample", "condition"), (("s0", "x, y"), ("s1", ""), ("s2", "=1")))
    _, again = failed_list(lab, sheet, 0, 2)
    assert again == SampleSheet(("sample", "condition"), (("s0", "x, y"), ("s2", "=1")))


def test_a_first_failed_sample_that_is_called_as_a_header_is_not_taken_for_one(lab: Lab) -> None:
    sheet = SampleSheet(("sample",), (("sample",), ("s1",)))
    _, again = failed_list(lab, sheet, 0, 1)
    assert again.samples == ["sample", "s1"]


def test_where_nothing_failed_the_list_is_empty(lab: Lab) -> None:
    run = lab.in_queue()
    lab.batch.run_all()
    close_it(lab, run)
    assert lab.bucket.read(run.run.keys.failed) == b""
