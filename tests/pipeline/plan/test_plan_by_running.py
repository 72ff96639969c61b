"""For any pipeline, sheet and edit: a plan runs what could differ, nothing that could not, and then nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import Pipeline, Step, optional
from pipeline.model.check import check_pipeline
from pipeline.model.pipeline import Per
from pipeline.model.sheet import SampleSheet
from steps.library.contract import Input, parse_marker
from tests.pipeline.examples import LAYOUT
from tests.pipeline.plan.world import ChildOf, World, Written, digest

NAMES = ("s1", "s2", "s3", "s4")
VALUES = ("x", "y")
INPUTS = [
    *(f"input/{one}.txt" for one in (*NAMES, *VALUES)),
    "input/all.txt",
    f"{LAYOUT.reference_prefix}/base",
]
OUTSIDE = ("input/{sample}.txt", "input/{k}.txt", "input/all.txt", "reference/base")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def inputs_of(draw: st.DrawFn, per: Per, after: list[Written]) -> list[str | Input]:
    """Some of what a step may declare."""
    offered: list[str | Input] = [one for one in OUTSIDE if per != Per.REFERENCE or "{" not in one]
    offered.append(optional("input/absent.txt"))
    for one in after:
        room = "reference" if one.step.per == Per.REFERENCE else one.step.name
        offered += [f"{room}/{output}" for output in one.step.outputs]
    return draw(st.lists(st.sampled_from(offered), max_size=4, unique_by=str))


@st.composite
def steps(draw: st.DrawFn, number: int, before: list[Written]) -> Written:
    """A step after some of those before it."""
    per = draw(st.sampled_from([Per.SAMPLE, Per.SAMPLE, Per.RUN, Per.REFERENCE]))
    possible = [one for one in before if per != Per.REFERENCE or one.step.per == Per.REFERENCE]
    after = draw(st.lists(st.sampled_from(possible), max_size=3, unique_by=id)) if possible else []
    name = f"step{number}"
    outputs = [f"{name}.{letter}" for letter in "ab"[: draw(st.integers(per == Per.REFERENCE, 2))]]
    step = Step(
        name,
        "s.py",
        after=[one.step for one in after],
        per=per,
        inputs=draw(inputs_of(per, after)),
        outputs=outputs,
        columns=draw(st.sampled_from([(), ("k",), ("note",)])) if per != Per.REFERENCE else (),
    )
    return Written(
        step, "text", drives=per != Per.REFERENCE and draw(st.booleans()), is_flat=draw(st.booleans())
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A pipeline of up to five steps, a sheet of up to four samples, and their inputs."""
    written: list[Written] = []
    for number in range(draw(st.integers(1, 5))):
        written.append(draw(steps(number, written)))
    rows = [
        (name, draw(st.sampled_from(VALUES)), "note")
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    ]
    return World(
        {one.step.name: one for one in written},
        SampleSheet(("sample", "k", "note"), tuple(rows)),
        {key: digest(key) for key in INPUTS},
        draw(st.randoms(use_true_random=False)),
    )


def edit_input(world: World, draw: Draw) -> None:
    world.bucket[draw(st.sampled_from(INPUTS))] = digest("edited")


def bring_an_optional_input(world: World, draw: Draw) -> None:
    world.bucket["input/absent.txt"] = digest("there by now")


def edit_a_script(world: World, draw: Draw) -> None:
    name = draw(st.sampled_from(sorted(world.steps)))
    world.steps[name] = replace(world.steps[name], text="edited")


def edit_a_parameter(world: World, draw: Draw) -> None:
    """Every step after it is another object by then, for steps name each other."""
    name = draw(st.sampled_from(sorted(world.steps)))
    again: dict[str, Step] = {}
    for one in world.steps.values():
        changes = {"parameters": {"K": "3"}} if one.step.name == name else {}
        after = [again[upstream.name] for upstream in one.step.after]
        again[one.step.name] = replace(one.step, after=after, **changes)  # type: ignore[arg-type]
    world.steps = {key: replace(one, step=again[key]) for key, one in world.steps.items()}


def edit_a_column(world: World, draw: Draw) -> None:
    row, place = draw(st.integers(0, len(world.sheet) - 1)), draw(st.sampled_from([1, 2]))
    rows = [list(one) for one in world.sheet.rows]
    rows[row][place] = draw(st.sampled_from(VALUES))
    world.sheet = SampleSheet(world.sheet.columns, tuple(map(tuple, rows)))


def edit_the_samples(world: World, draw: Draw) -> None:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    known = {row[0]: row for row in world.sheet.rows}
    world.sheet = SampleSheet(world.sheet.columns, tuple(known.get(one, (one, "x", "note")) for one in names))


def published(world: World) -> list[str]:
    """What children left, but for their markers."""
    return sorted(
        key
        for key in set(world.bucket) - set(INPUTS)
        if not key.startswith("input/") and parse_marker(key.rpartition("/")[2]) is None
    )


def delete_an_output(world: World, draw: Draw) -> None:
    if keys := published(world):
        del world.bucket[draw(st.sampled_from(keys))]


def replace_an_output(world: World, draw: Draw) -> None:
    if keys := published(world):
        world.bucket[draw(st.sampled_from(keys))] = digest("somebody else's")


def leave_something_behind(world: World, draw: Draw) -> None:
    one, child = draw(st.sampled_from(list(world.children())))
    if one.step.per != Per.REFERENCE:
        world.bucket[f"{world.place(one, child)}/leftover"] = digest("of an older version")


def do_nothing(world: World, draw: Draw) -> None:
    pass


Edit = Callable[[World, Draw], None]
EDITS: list[Edit] = [
    edit_input,
    bring_an_optional_input,
    edit_a_script,
    edit_a_parameter,
    edit_a_column,
    edit_the_samples,
    delete_an_output,
    replace_an_output,
    leave_something_behind,
    do_nothing,
]

Standing = dict[str, tuple[bytes, dict[str, bytes]]]  # by place: what a result depends on, and its files


def standing(world: World) -> Standing:
    """What stands of each child now that everything ran."""
    told: Standing = {}
    for one, child in world.children():
        reason, files = world.from_scratch(one, child)
        place = f"{world.place(one, child)} {one.step.name}"
        told[place] = reason, {f"{world.place(one, child)}/{name}": body for name, body in files.items()}
    return told


def could_differ(world: World, before: Standing) -> set[ChildOf]:
    """The children whose from-scratch result is another by now, or whose outputs are not there as they left them."""
    differ = set()
    for one, child in world.children():
        reason, files = before.get(f"{world.place(one, child)} {one.step.name}", (b"", {}))
        is_whole = all(world.bucket.get(key) == body for key, body in files.items())
        if reason != world.from_scratch(one, child)[0] or not is_whole:
            differ.add((one.step.name, child))
    return differ


def planned(world: World) -> set[ChildOf]:
    return {(share.step.name, child) for share in world.plan().steps for child in share.todo}


def and_after(world: World, some: set[ChildOf]) -> set[ChildOf]:
    """These children, and all that come after one of them."""
    closed = set(some)
    for one, child in world.children():
        for upstream in one.step.after:
            every = one.step.per == Per.SAMPLE == upstream.per
            if any(name == upstream.name and (not every or other == child) for name, other in closed):
                closed.add((one.step.name, child))
    return closed


bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@bounded
@given(worlds())
def test_random_pipelines_are_ones_that_a_user_could_write(world: World) -> None:
    check_pipeline(Pipeline("toy", [one.step for one in world.steps.values()]))


@bounded
@given(worlds())
def test_after_a_plan_ran_there_is_nothing_to_do(world: World) -> None:
    everything = {(one.step.name, child) for one, child in world.children()}
    assert world.run(world.plan()) == everything
    assert world.plan().is_empty
    assert could_differ(world, standing(world)) == set()


@pytest.mark.parametrize("edit", EDITS)
@bounded
@given(world=worlds(), data=st.data())
def test_after_an_edit_those_run_whose_result_could_differ_and_no_others(
    edit: Edit, world: World, data: st.DataObject
) -> None:
    world.run(world.plan())
    before = standing(world)
    edit(world, data.draw)
    expected = could_differ(world, before)
    assert expected <= planned(world) <= and_after(world, expected)
    assert world.run(world.plan()) == expected
    assert world.plan().is_empty
    assert could_differ(world, standing(world)) == set()


@bounded
@given(world=worlds(), data=st.data(), edits=st.lists(st.sampled_from(EDITS), min_size=2, max_size=5))
def test_after_any_number_of_edits_the_bucket_is_as_if_it_had_been_made_from_scratch(
    world: World, data: st.DataObject, edits: list[Edit]
) -> None:
    for edit in edits:
        world.run(world.plan())
        edit(world, data.draw)
    world.run(world.plan())
    assert world.plan().is_empty
    assert could_differ(world, standing(world)) == set()
