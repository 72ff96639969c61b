"""From what is asked for to a checked plan: all that is wrong is told at once, and nothing is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.api.place import Place
from pipeline.cloud.stub_batch import StubBatch
from pipeline.errors import InputError
from tests.pipeline.lab import Lab

NAMES = ("s0", "s1", "s2")


def test_preparing_writes_nothing(lab: Lab) -> None:
    lab.prepare(NAMES)
    with lab.writes() as written:
        prepared = lab.prepare(NAMES)
    assert written == [0]
    assert [len(share.todo) for share in prepared.plan.steps] == [1, 3, 3, 1]


def test_the_run_that_is_made_is_on_the_queue_that_was_asked(lab: Lab) -> None:
    run = lab.prepare(NAMES, max_parallel=2).make_run(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    assert run.id.startswith("toy-20260102t030405-")
    assert run.created_at == "2026-01-02T03:04:05+00:00"
    assert (run.queue, run.region, run.account) == ("stub", "us-east-1", "123456789012")
    assert run.max_parallel == 2


def test_missing_inputs_and_a_missing_queue_are_told_together(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StubBatch, "queue", lambda _batch, _name: None)
    with pytest.raises(InputError) as refused:
        lab.prepare((), text="s0\nnobody\n")
    told = [problem.what for problem in refused.value.problems]
    assert any("input/{sample}.txt" in what for what in told)
    assert "there is no job queue 'stub'" in told


def test_a_sample_list_may_name_the_inputs_files(lab: Lab) -> None:
    prepared = lab.prepare(NAMES, text="s0.txt\r\n# a comment\n\ns1\n")
    assert prepared.plan.sheet.samples == ["s0", "s1"]


def test_a_sample_list_in_a_bucket_is_read_from_there(lab: Lab) -> None:
    lab.bucket.write("lists/today.txt", b"s1\ns2\n")
    lab.prepare(NAMES)
    prepared = lab.prepare(NAMES, sample_list=None, source="s3://lab/lists/today.txt")
    assert prepared.plan.sheet.samples == ["s1", "s2"]
    with pytest.raises(InputError, match="there is no such object"):
        lab.prepare(NAMES, sample_list=None, source="s3://lab/lists/none.txt")


def test_a_sample_list_that_is_no_text_is_told_with_the_line(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"not UTF-8 text\n  where: samples.txt, line 2"):
        lab.prepare(NAMES, sample_list=b"s0\n\xff\xfe\n")


@pytest.mark.parametrize(
    ("asked", "flag"),
    [
        ({"reference": "a/b"}, "--reference"),
        ({"reference": ".."}, "--reference"),
        ({"input_prefix": "in//put"}, "--input-prefix"),
        ({"results_prefix": "../other"}, "--results-prefix"),
    ],
)
def test_a_place_that_is_none_is_told_by_its_flag(lab: Lab, asked: dict[str, str], flag: str) -> None:
    with pytest.raises(InputError) as refused:
        lab.prepare((), text="s0\n", **asked)
    assert [problem.where for problem in refused.value.problems] == [flag]


def test_two_places_that_are_none_are_told_together(lab: Lab) -> None:
    with pytest.raises(InputError) as refused:
        lab.prepare((), text="s0\n", reference="a/b", results_prefix="..")
    assert len(refused.value.problems) == 2


def test_a_column_that_a_step_uses_and_the_sheet_lacks_is_told(lab: Lab) -> None:
    with pytest.raises(InputError, match="step 'b' uses the column 'k'"):
        lab.prepare(NAMES, pipeline=lab.pipeline(columns=["k"]))


def test_a_bucket_that_does_not_exist_is_told_with_how_to_make_it(lab: Lab) -> None:
    with pytest.raises(InputError, match="aws s3 mb s3://nowhere"):
        lab.prepare((), text="s0\n", place=Place(queue="stub", bucket_name="nowhere"))
