"""Pinning a run, whose tree it is, what open runs hold, and the wait for another client that submits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.stub_batch import StubBatch
from pipeline.errors import InputError
from pipeline.model.layout import Layout, code_key
from pipeline.plan.code import pack
from pipeline.submit.launch import (
    Held,
    Launch,
    check_tree,
    claim_tree,
    find_same,
    new_run_id,
    pin,
    submit,
)
from pipeline.submit.submitter import Submitter
from tests.pipeline.examples import LAYOUT
from tests.pipeline.lab import Lab, new_plan, plan_run, run_of, sheet_of, silent

NAMES = ["s0", "s1", "s2"]
ELSEWHERE = replace(LAYOUT, input_prefix="batch-2")


def launch(lab: Lab, layout: Layout = LAYOUT) -> Launch:
    return Launch(lab.bucket, lab.batch, layout)


def test_two_runs_of_one_second_have_names_of_their_own() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    names = {new_run_id("toy", now) for _ in range(20)}
    assert len(names) > 1
    assert all(name.startswith("toy-20260102t030405-") for name in names)


def test_a_tree_belongs_to_the_input_place_that_claimed_it_first(lab: Lab) -> None:
    claim_tree(launch(lab))
    claim_tree(launch(lab))
    with pytest.raises(InputError, match="--results-prefix or --pipeline-name"):
        claim_tree(launch(lab, ELSEWHERE))
    assert lab.bucket.read_json(LAYOUT.tree_record) == {"input": "s3://lab/input"}


def test_a_tree_is_claimed_by_a_conditional_write(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    write_new = Bucket.write_new

    def between_look_and_write(bucket: Bucket, key: str, body: bytes) -> bool:
        asked.append(key)
        write_new(bucket, key, json.dumps({"input": ELSEWHERE.input_url}).encode())  # another is first
        return write_new(bucket, key, body)

    monkeypatch.setattr(Bucket, "write_new", between_look_and_write)
    with pytest.raises(InputError, match="s3://lab/batch-2"):
        claim_tree(launch(lab))
    assert asked == [LAYOUT.tree_record]


def test_checking_a_tree_writes_nothing(lab: Lab) -> None:
    with lab.writes() as written:
        check_tree(lab.bucket, LAYOUT)
    assert written == [0]


def test_a_run_is_pinned_after_its_code_and_rows_and_the_run_itself_last(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = Bucket.write

    def noted(bucket: Bucket, key: str, body: bytes) -> None:
        written.append(key)
        write(bucket, key, body)

    monkeypatch.setattr(Bucket, "write", noted)
    pipeline = lab.pipeline()
    plan = new_plan(pipeline, sheet_of(NAMES))
    code = pack(pipeline)
    folder = pin(launch(lab), run_of(pipeline, plan), plan, code)
    prefix = "runs/toy-1"
    assert written == [
        *map(code_key, code.zips),
        f"{prefix}/samples.tsv",
        f"{prefix}/rows/00000.tsv",
        f"{prefix}/run.json",
    ]
    assert folder.is_open()


def test_code_that_is_there_is_not_uploaded_again(lab: Lab) -> None:
    pipeline = lab.pipeline()
    plan = new_plan(pipeline, sheet_of(NAMES))
    code = pack(pipeline)
    key = code_key(code.steps["b"].sha256)
    lab.bucket.write(key, b"there")
    pin(launch(lab), run_of(pipeline, plan), plan, code)
    assert lab.bucket.read(key) == b"there"


def test_an_open_run_that_does_the_same_is_found_among_others(lab: Lab) -> None:
    other = lab.adopt(plan_run(lab.folder, ["x"], order={"run_id": "toy-0"}), ["x"])
    same = lab.adopt(plan_run(lab.folder, NAMES), NAMES)
    wanted = plan_run(lab.folder, NAMES, order={"run_id": "toy-2"})
    assert find_same(wanted, [other.folder, same.folder]) is same.folder
    assert find_same(wanted, [other.folder]) is None


def test_an_open_run_holds_its_samples_and_what_it_builds_beside_the_reference(lab: Lab) -> None:
    run = lab.adopt(plan_run(lab.folder, NAMES), NAMES)
    held = Held.of([run.folder], plan_run(lab.folder, ["x"], order={"run_id": "toy-2"}))
    assert held == Held(frozenset(NAMES), frozenset({"index"}))


def test_an_open_run_of_a_whole_run_step_holds_all_that_this_reads(lab: Lab) -> None:
    """A sample that was done before the run has no row in it, and its result must stay what the gather read."""
    sheet = sheet_of(["done", *NAMES])
    pipeline = lab.pipeline()
    everything = new_plan(pipeline, sheet)
    shares = tuple(
        replace(share, todo={child: why for child, why in share.todo.items() if child != "done"})
        for share in everything.steps
    )
    plan = replace(everything, work=sheet_of(NAMES), steps=shares)
    folder = pin(launch(lab), run_of(pipeline, plan), plan, pack(pipeline))
    assert list(folder.work()) == NAMES
    assert "done" in Held.of([folder], folder.run).samples


def test_an_open_run_holds_the_reference_that_it_reads_though_it_stood(lab: Lab) -> None:
    pipeline = lab.pipeline()
    everything = new_plan(pipeline, sheet_of(NAMES))
    shares = tuple(
        replace(share, todo={}) if share.step.name == "index" else share for share in everything.steps
    )
    plan = replace(everything, steps=shares)
    folder = pin(launch(lab), run_of(pipeline, plan), plan, pack(pipeline))
    assert not folder.run.step("index").jobs
    held = Held.of([folder], plan_run(lab.folder, ["x"], order={"run_id": "toy-2"}))
    assert "index" in held.once
    assert held.overlaps(new_plan(pipeline, sheet_of(["x"])))


def test_a_whole_run_step_over_samples_that_an_open_run_makes_is_in_its_way(lab: Lab) -> None:
    pipeline = lab.pipeline()
    everything = new_plan(pipeline, sheet_of(["s0", "new"]))
    shares = tuple(
        replace(share, todo={child: why for child, why in share.todo.items() if child != "s0"})
        for share in everything.steps
        if share.step.name != "index"
    )
    plan = replace(everything, steps=shares)
    assert Held(frozenset({"s0"}), frozenset()).overlaps(plan)
    assert not Held(frozenset({"other"}), frozenset()).overlaps(plan)


def test_an_open_run_holds_the_whole_run_step_of_its_own_cohort(lab: Lab) -> None:
    run = lab.adopt(plan_run(lab.folder, NAMES), NAMES)
    held = Held.of([run.folder], plan_run(lab.folder, NAMES, order={"run_id": "toy-2"}))
    assert held.once == {"index", "all"}


def test_a_client_waits_for_another_that_submits_and_says_so_once(lab: Lab) -> None:
    run = lab.adopt(plan_run(lab.folder, NAMES), NAMES)
    first = Submitter(run.folder, lab.batch)
    assert first.take_over()
    told: list[str] = []
    steps = iter(run.run.steps)

    def first_goes_on(_pause_s: float) -> None:
        first.submit(next(steps))

    submit(lab.again(run).folder, lab.batch, "", tell=told.append, sleep=first_goes_on)
    assert told == ["another client submits this run just now: waiting for it"]
    assert [request["jobName"] for request in lab.batch.requests] == [
        step.jobs[0].name for step in run.run.steps
    ]


def test_the_slots_of_max_parallel_are_there_before_the_first_job(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.adopt(plan_run(lab.folder, NAMES, order={"max_parallel": 2}), NAMES)
    there: list[dict[str, int]] = []
    take = StubBatch.submit

    def noted(batch: StubBatch, request: Mapping[str, Any], may_go_on: Callable[[], None]) -> str:
        there.append(dict(batch.slots))
        return take(batch, request)

    monkeypatch.setattr(StubBatch, "submit", noted)
    submit(run.folder, lab.batch, "", tell=silent)
    assert there == [{"toy-1": 2}] * 4
