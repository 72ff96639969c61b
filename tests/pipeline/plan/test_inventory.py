"""What is in the bucket is found by as few requests as the sheet needs, whatever else lies there."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline import Pipeline, Step, optional
from pipeline.model.sheet import SampleSheet
from pipeline.plan.inventory import SINGLES_A_PAGE, marker_reader, take_inventory
from pipeline.plan.plan import Inventory
from steps.library.contract import Found
from tests.pipeline.examples import LAYOUT, sheet_of, toy
from tests.pipeline.plan.buckets import CountingBucket

A = f"{LAYOUT.results}/a"


def objects(samples: Iterable[str]) -> dict[str, bytes]:
    """An input and two results of a for each sample."""
    keys = ((f"input/{one}.txt", f"{A}/{one}/a.txt", f"{A}/{one}/_SUCCESS.json") for one in samples)
    return {key: b"x" for three in keys for key in three}


def names(number: int) -> list[str]:
    return [f"s{one:05d}" for one in range(number)]


def found(key: str) -> Found:
    return Found(f"etag of {key}", 1)


def take(bucket: CountingBucket, folder: Path, sheet: SampleSheet) -> Inventory:
    return take_inventory(bucket, toy(folder), sheet, LAYOUT)


def test_the_inventory_is_the_inputs_the_reference_and_each_childs_folder(tmp_path: Path) -> None:
    cohort = sheet_of("s1", "s2").cohort(())
    reference, whole = "reference/hg38/genes.idx", f"{LAYOUT.results}/all/{cohort}/all.txt"
    bucket = CountingBucket({**objects(["s1", "s2", "s3"]), reference: b"x", whole: b"x"})
    inventory = take(bucket, tmp_path, sheet_of("s1", "s2"))
    assert inventory.outside == {key: found(key) for key in (reference, "input/s1.txt", "input/s2.txt")}
    assert inventory.reference == [("genes.idx", found(reference))]
    assert inventory.folders == {
        "a": {
            one: [(name, found(f"{A}/{one}/{name}")) for name in ("a.txt", "_SUCCESS.json")]
            for one in ("s1", "s2")
        },
        "b": {},
        "all": {None: [("all.txt", found(whole))]},
    }


def test_a_file_in_a_folder_is_named_from_the_childs_folder(tmp_path: Path) -> None:
    bucket = CountingBucket({f"{A}/s1/plots/x.png": b"x", f"{A}/s10/y": b"x"})
    assert take(bucket, tmp_path, sheet_of("s1")).folders["a"] == {
        "s1": [("plots/x.png", found(f"{A}/s1/plots/x.png"))]
    }


def test_a_few_samples_cost_a_handful_of_requests_in_a_bucket_of_many_others(tmp_path: Path) -> None:
    bucket = CountingBucket({**objects(names(5000)), **objects(["s1", "s2", "s3"])})
    inventory = take(bucket, tmp_path, sheet_of("s1", "s2", "s3"))
    assert len(inventory.outside) == 3
    assert set(inventory.folders["a"]) == {"s1", "s2", "s3"}
    of_inputs = [request for request in bucket.requests if request[1].startswith("input/")]
    of_a = [request for request in bucket.requests if request[1].startswith(f"{A}/")]
    assert len(of_inputs) <= 2 + 3
    assert len(of_a) <= 2 + 3
    assert len(bucket.requests) <= 14


def test_what_a_sheet_costs_does_not_grow_with_the_bucket(tmp_path: Path) -> None:
    costs = []
    for others in (5_000, 20_000):
        bucket = CountingBucket({**objects(names(others)), **objects(["s1", "s2", "s3"])})
        take(bucket, tmp_path, sheet_of("s1", "s2", "s3"))
        costs.append(len(bucket.requests))
    assert costs[0] == costs[1]


def test_a_sheet_of_all_costs_pages_only(tmp_path: Path) -> None:
    bucket = CountingBucket(objects(names(5000)))
    inventory = take(bucket, tmp_path, sheet_of(*names(5000)))
    assert {kind for kind, _ in bucket.requests} == {"LIST"}
    assert len(inventory.outside) == len(inventory.folders["a"]) == 5000
    pages_of_inputs, pages_of_a, others = 5, 10, 3
    assert len(bucket.requests) == pages_of_inputs + pages_of_a + others


@pytest.mark.parametrize(
    ("wanted", "singles"),
    [(SINGLES_A_PAGE - 1, SINGLES_A_PAGE - 1), (SINGLES_A_PAGE, 0), (SINGLES_A_PAGE + 1, 0)],
)
def test_one_page_more_is_read_for_as_many_as_cost_a_page(tmp_path: Path, wanted: int, singles: int) -> None:
    keys = {f"input/{one}.txt": b"x" for one in names(2000)}
    bucket = CountingBucket(keys)
    inventory = take(bucket, tmp_path, sheet_of(*names(wanted)))
    assert len(inventory.outside) == wanted
    assert sum(kind == "HEAD" for kind, _ in bucket.requests) == singles
    assert bucket.requests.count(("LIST", "input/")) == 2


@pytest.mark.parametrize("others", [0, 5000])
def test_the_order_of_a_listing_does_not_matter(tmp_path: Path, others: int) -> None:
    held = {
        **objects(names(others)),
        **objects(["s1", "s2", "s3"]),
        "reference/hg38/b": b"",
        "reference/hg38/a": b"",
    }
    shuffled = list(held.items())
    random.Random(0).shuffle(shuffled)
    sheet = sheet_of("s3", "s1", "s2")
    one, other = (
        take(CountingBucket(held), tmp_path, sheet),
        take(CountingBucket(dict(shuffled)), tmp_path, sheet),
    )
    assert one.outside == other.outside
    assert sorted(one.reference) == sorted(other.reference)
    assert {child: sorted(files) for child, files in one.folders["a"].items()} == {
        child: sorted(files) for child, files in other.folders["a"].items()
    }


def test_an_input_that_is_absent_is_not_in_the_inventory(tmp_path: Path) -> None:
    assert take(CountingBucket({"input/s1.txt": b"x"}), tmp_path, sheet_of("s1", "s2")).outside == {
        "input/s1.txt": found("input/s1.txt")
    }


def test_inputs_lie_below_the_input_place_with_their_columns_filled_in() -> None:
    sheet = SampleSheet(("sample", "k"), (("s1", "A"), ("s2", "B")))
    pipeline = Pipeline("toy", [Step("s", "s", inputs=["input/{k}/{sample}.txt", optional("input/one.txt")])])
    keys = ["input/A/s1.txt", "input/B/s2.txt", "input/one.txt"]
    bucket = CountingBucket(dict.fromkeys([*keys, "input/A/s2.txt"], b"x"))
    assert take_inventory(bucket, pipeline, sheet, LAYOUT).outside == {key: found(key) for key in keys}


def test_a_pipeline_without_inputs_looks_at_none() -> None:
    bucket = CountingBucket(objects(["s1"]))
    take_inventory(bucket, Pipeline("toy", [Step("s", "s")]), sheet_of("s1"), LAYOUT)
    assert not [request for request in bucket.requests if request[1].startswith("input")]


def test_the_object_of_a_consoles_folder_is_no_input() -> None:
    sheet = SampleSheet(("sample", "extra"), (("s1", ""),))
    step = Step("s", "s", inputs=[optional("input/{extra}"), optional("reference/{extra}")])
    bucket = CountingBucket({"input/": b"", "reference/hg38/": b""})
    assert not take_inventory(bucket, Pipeline("toy", [step]), sheet, LAYOUT).outside


def test_a_step_of_the_run_is_looked_for_by_the_columns_that_it_uses() -> None:
    sheet = SampleSheet(("sample", "k"), (("s1", "1"),))
    step = Step("all", "s", per="run", columns=["k"])
    key = f"{LAYOUT.results}/all/{sheet.cohort(['k'])}/x"
    bucket = CountingBucket({key: b"x", f"{LAYOUT.results}/all/{sheet.cohort([])}/x": b"x"})
    folders = take_inventory(bucket, Pipeline("toy", [step]), sheet, LAYOUT).folders
    assert folders == {"all": {None: [("x", found(key))]}}


def test_markers_are_read_where_they_are_asked_for() -> None:
    bucket = CountingBucket({"a": b'{"files": {}}', "retired": b""})
    read = marker_reader(bucket)
    assert read([]) == {}
    assert not bucket.requests
    assert read(["a", "retired", "absent"]) == {"a": {"files": {}}}
