"""The plan: what runs again, and the reason given, told by listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import Pipeline, Step, optional
from pipeline.model.pipeline import Per
from pipeline.model.sheet import SampleSheet
from pipeline.plan.plan import Inventory, Listing, Plan, Version, make_plan, upstreams, without
from steps.library.contract import Found, Input, Marker, MarkerName, due, made
from tests.pipeline.examples import LAYOUT, sheet_of, toy

SHEET = sheet_of("s1", "s2", "s3")
IDX = "reference/hg38/genes.idx"
Keys = dict[str, Found]


def published(step: str, child: str | None, name: str) -> Found:
    return Found(f"{step}-{child}-{name}", 1)


class Tree:
    """What a finished run of the toy pipeline leaves in a bucket, spelled out, to be tampered with."""

    def __init__(self) -> None:
        self.objects: Keys = {f"input/{one}.txt": Found(f"in-{one}", 1) for one in SHEET.samples}
        self.contents: dict[str, Marker] = {}
        self.read: list[str] = []
        self.leave("index", None, "reference/hg38", {}, "genes.idx")
        for one in SHEET.samples:
            self.leave("a", one, f"{LAYOUT.results}/a/{one}", self.inputs_of_a(one), "a.txt")
            self.leave("b", one, f"{LAYOUT.results}/b/{one}", self.inputs_of_b(one), "b.txt")
        place = f"{LAYOUT.results}/all/{SHEET.cohort(())}"
        inputs = {f"b/{one}/b.txt": published("b", one, "b.txt") for one in SHEET.samples}
        self.leave("all", None, place, inputs, "all.txt")

    def inputs_of_a(self, one: str) -> Keys:
        return {"input/sample.txt": self.objects[f"input/{one}.txt"]}

    def inputs_of_b(self, one: str) -> Keys:
        return {"a/a.txt": published("a", one, "a.txt")}

    def leave(self, step: str, child: str | None, place: str, inputs: Keys, name: str) -> str:
        """A result and its marker, which is returned."""
        files = {name: published(step, child, name)}
        beside = "index" if step == "index" else None
        key = f"{place}/{MarkerName(beside, due(f'version of {step}', {}, inputs), made(files))}"
        self.objects |= {f"{place}/{name}": files[name], key: Found("marker", 99)}
        self.contents[key] = {"files": {name: found._asdict() for name, found in files.items()}}
        return key

    def marker(self, place: str) -> str:
        """The key of the one marker in that place."""
        [key] = [key for key in self.objects if key.startswith(f"{place}/_SUCCESS")]
        return key

    def below(self, prefix: str) -> list[tuple[str, Found]]:
        return [
            (key.removeprefix(prefix), one) for key, one in self.objects.items() if key.startswith(prefix)
        ]

    def inventory(self, sheet: SampleSheet) -> Inventory:
        folders: dict[str, dict[str | None, list[tuple[str, Found]]]] = {
            step: {one: self.below(f"{LAYOUT.results}/{step}/{one}/") for one in sheet.samples}
            for step in ("a", "b")
        }
        folders["all"] = {None: self.below(f"{LAYOUT.results}/all/{sheet.cohort(())}/")}
        return Inventory(self.objects, self.below("reference/hg38/"), folders)

    def fetch(self, keys: Sequence[str]) -> Mapping[str, Marker]:
        self.read += keys
        return {key: self.contents[key] for key in keys if key in self.contents}

    def plan(self, pipeline: Pipeline, sheet: SampleSheet = SHEET, **versions: str) -> Plan:
        """The plan, where `versions` names the steps that are another version by now."""
        named = {step.name: versions.get(step.name, f"version of {step.name}") for step in pipeline.steps}
        return make_plan(
            pipeline,
            sheet,
            layout=LAYOUT,
            inventory=self.inventory(sheet),
            versions={name: Version(text) for name, text in named.items()},
            read=self.fetch,
        )


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return toy(tmp_path)


@pytest.fixture
def tree() -> Tree:
    return Tree()


def todo(plan: Plan) -> dict[str, dict[str | None, str]]:
    return {share.step.name: share.todo for share in plan.steps if share.todo}


def done(plan: Plan) -> dict[str, int]:
    return {share.step.name: share.done for share in plan.steps}


def test_a_finished_run_has_nothing_to_do_and_no_object_is_read(tree: Tree, pipeline: Pipeline) -> None:
    plan = tree.plan(pipeline)
    assert plan.is_empty
    assert done(plan) == {"index": 1, "a": 3, "b": 3, "all": 1}
    assert len(plan.work) == 0
    assert plan.sheet == SHEET
    assert not tree.read


def test_an_empty_bucket_has_everything_to_do(pipeline: Pipeline) -> None:
    tree = Tree()
    tree.objects.clear()
    plan = tree.plan(pipeline)
    assert todo(plan) == {
        "index": {None: "new"},
        "a": dict.fromkeys(SHEET.samples, "new"),
        "b": dict.fromkeys(SHEET.samples, "a runs again"),
        "all": {None: "b runs again"},
    }
    assert done(plan) == {"index": 0, "a": 0, "b": 0, "all": 0}
    assert plan.work == SHEET
    assert not plan.is_empty


def test_a_step_of_which_nothing_was_listed_is_new(tree: Tree, pipeline: Pipeline) -> None:
    listed: list[Mapping[str, Mapping[str | None, Listing]]] = [{}, {"a": {}}, {"a": {"s1": ()}}]
    for folders in listed:
        plan = make_plan(
            pipeline,
            SHEET,
            layout=LAYOUT,
            inventory=Inventory(folders=folders),
            versions={step.name: Version("v") for step in pipeline.steps},
            read=tree.fetch,
        )
        assert todo(plan)["a"] == dict.fromkeys(SHEET.samples, "new")


def test_a_step_per_reference_has_no_columns() -> None:
    sheet = SampleSheet(("sample", "k"), (("s1", "1"),))
    index = Step("index", "s", per="reference", columns=["k"])
    assert todo(simple([index], {}, sheet)) == {"index": {None: "new"}}


def test_a_changed_input_runs_its_sample_and_what_comes_after(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects["input/s2.txt"] = Found("other", 1)
    plan = tree.plan(pipeline)
    assert todo(plan) == {
        "a": {"s2": "its inputs changed"},
        "b": {"s2": "a runs again"},
        "all": {None: "b runs again"},
    }
    assert plan.work.samples == ["s2"]
    assert done(plan) == {"index": 1, "a": 2, "b": 2, "all": 0}


def test_an_input_of_another_size_is_another_input(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects["input/s2.txt"] = Found("in-s2", 2)
    assert todo(tree.plan(pipeline))["a"] == {"s2": "its inputs changed"}


def test_a_deleted_output_is_made_again(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[f"{LAYOUT.results}/b/s3/b.txt"]
    assert todo(tree.plan(pipeline)) == {
        "b": {"s3": "what it published changed or is gone"},
        "all": {None: "b runs again"},
    }
    assert tree.read == [tree.marker(f"{LAYOUT.results}/b/s3")]


def test_an_output_that_someone_replaced_is_made_again(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[f"{LAYOUT.results}/a/s1/a.txt"] = Found("edited", 1)
    assert todo(tree.plan(pipeline))["a"] == {"s1": "what it published changed or is gone"}


def test_an_output_of_another_size_is_made_again(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[f"{LAYOUT.results}/a/s1/a.txt"] = Found("a-s1-a.txt", 2)
    assert todo(tree.plan(pipeline))["a"] == {"s1": "what it published changed or is gone"}


def test_a_folder_of_which_the_marker_alone_is_left_is_made_again(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[f"{LAYOUT.results}/all/{SHEET.cohort(())}/all.txt"]
    assert todo(tree.plan(pipeline)) == {"all": {None: "what it published changed or is gone"}}


def test_beside_leftovers_the_marker_is_read_and_its_files_count(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[f"{LAYOUT.results}/a/s1/of an older version"] = Found("x", 1)
    assert tree.plan(pipeline).is_empty
    assert tree.read == [tree.marker(f"{LAYOUT.results}/a/s1")]


def test_a_marker_that_is_gone_when_it_is_read_does_not_hold(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[f"{LAYOUT.results}/a/s1/leftover"] = Found("x", 1)
    tree.contents.clear()
    assert list(todo(tree.plan(pipeline))["a"]) == ["s1"]


def test_a_deleted_marker_means_a_new_result(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[tree.marker(f"{LAYOUT.results}/a/s1")]
    assert todo(tree.plan(pipeline))["a"] == {"s1": "new"}


def test_a_retired_marker_does_not_hold(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[tree.marker(f"{LAYOUT.results}/a/s1")] = Found("empty", 0)
    assert todo(tree.plan(pipeline))["a"] == {"s1": "new"}


def test_of_two_markers_the_one_that_is_due_and_whole_counts(tree: Tree, pipeline: Pipeline) -> None:
    place = f"{LAYOUT.results}/a/s1"
    older = MarkerName(None, due("an older version", {}, tree.inputs_of_a("s1")), "0" * 16)
    broken = MarkerName(None, due("version of a", {}, tree.inputs_of_a("s1")), "0" * 16)
    for marker in (older, broken):
        for key in (f"{place}/{marker}",):
            tree.objects = {key: Found("m", 9), **tree.objects}
            tree.contents[key] = {"files": {"gone.txt": {"etag": "x", "size": 1}}}
    assert tree.plan(pipeline).is_empty
    assert not tree.read
    tree.objects[f"{place}/leftover"] = Found("x", 1)
    assert tree.plan(pipeline).is_empty
    assert len(tree.read) == 2


def test_a_new_version_of_a_step_runs_for_every_sample(tree: Tree, pipeline: Pipeline) -> None:
    assert todo(tree.plan(pipeline, b="edited")) == {
        "b": dict.fromkeys(SHEET.samples, "its script, image or parameters changed"),
        "all": {None: "b runs again"},
    }


def test_a_missing_reference_is_built_and_every_sample_looks_again(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[tree.marker("reference/hg38")], tree.objects[IDX]
    assert todo(tree.plan(pipeline)) == {
        "index": {None: "new"},
        "b": dict.fromkeys(SHEET.samples, "index runs again"),
        "all": {None: "b runs again"},
    }


def test_a_reference_that_the_user_brought_is_not_built(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[tree.marker("reference/hg38")]
    plan = tree.plan(pipeline, index="whatever")
    assert plan.is_empty
    assert done(plan)["index"] == 1


def test_a_brought_reference_of_which_a_part_is_missing_is_built(tree: Tree, pipeline: Pipeline) -> None:
    del tree.objects[tree.marker("reference/hg38")]
    index = replace(pipeline.step("index"), outputs=["genes.idx", "genes.cache"])
    plan = tree.plan(Pipeline("toy", [index]))
    assert todo(plan) == {"index": {None: "new"}}


def test_a_step_per_reference_that_declares_no_output_was_not_brought(tree: Tree) -> None:
    index = Step("other", "s", per="reference")
    assert todo(tree.plan(Pipeline("toy", [index]))) == {"other": {None: "new"}}


def test_a_reference_half_built_by_a_job_that_died_was_not_brought(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects[tree.marker("reference/hg38")] = Found("empty", 0)
    assert todo(tree.plan(pipeline))["index"] == {None: "new"}


def test_the_marker_of_another_step_beside_the_reference_is_not_the_steps_own(
    tree: Tree, pipeline: Pipeline
) -> None:
    marker = tree.marker("reference/hg38")
    tree.objects[marker.replace(".index.", ".other.")] = tree.objects.pop(marker)
    assert tree.plan(pipeline, index="whatever").is_empty


def test_a_step_per_sample_is_never_brought(tree: Tree, pipeline: Pipeline) -> None:
    for one in SHEET.samples:
        del tree.objects[tree.marker(f"{LAYOUT.results}/a/{one}")]
    assert len(todo(tree.plan(pipeline))["a"]) == 3


def test_a_new_version_of_what_is_beside_the_reference_is_built_again(tree: Tree, pipeline: Pipeline) -> None:
    assert todo(tree.plan(pipeline, index="edited"))["index"] == {
        None: "its script, image or parameters changed"
    }


def test_another_cohort_is_gathered_anew_over_the_same_results(tree: Tree, pipeline: Pipeline) -> None:
    plan = tree.plan(pipeline, sheet_of("s1", "s2"))
    assert todo(plan) == {"all": {None: "new"}}
    assert len(plan.work) == 0


def test_a_gather_depends_on_every_samples_file(tree: Tree, pipeline: Pipeline) -> None:
    place = f"{LAYOUT.results}/b/s2"
    key = tree.marker(place)
    del tree.objects[key]
    files = {"b.txt": Found("remade with other bytes", 1)}
    marker = MarkerName(None, due("version of b", {}, tree.inputs_of_b("s2")), made(files))
    tree.objects |= {f"{place}/b.txt": files["b.txt"], f"{place}/{marker}": Found("m", 9)}
    assert todo(tree.plan(pipeline)) == {"all": {None: "its inputs changed"}}


def simple(steps: Sequence[Step], objects: Keys, sheet: SampleSheet = SHEET, *, drives: bool = False) -> Plan:
    """The plan of these steps over a bucket that holds these objects."""
    folders: dict[str, dict[str | None, list[tuple[str, Found]]]] = {}
    for step in steps:
        for child in sheet.samples if step.per == Per.SAMPLE else [None]:
            place = LAYOUT.place(step, sheet.cohort(step.used_columns), child) + "/"
            there = [(key.removeprefix(place), one) for key, one in objects.items() if key.startswith(place)]
            folders.setdefault(step.name, {})[child] = there
    return make_plan(
        Pipeline("toy", steps),
        sheet,
        layout=LAYOUT,
        inventory=Inventory(objects, folders=folders),
        versions={step.name: Version("v", drives_its_child=drives) for step in steps},
        read=lambda keys: {},
    )


def result(step: Step, child: str | None, inputs: Keys, sheet: SampleSheet = SHEET, **columns: str) -> Keys:
    """One file and its marker, as that child leaves them."""
    place = LAYOUT.place(step, sheet.cohort(step.used_columns), child)
    files = {"out": Found(f"{step.name}-{child}", 1)}
    marker = MarkerName(None, due("v", columns, inputs), made(files))
    return {f"{place}/out": files["out"], f"{place}/{marker}": Found("m", 9)}


ONE = sheet_of("s1")


def test_an_optional_input_counts_by_whether_it_is_there() -> None:
    step = Step("s", "s", inputs=[optional("input/{sample}.extra")])
    without_it = result(step, "s1", {}, ONE)
    extra = {"input/s1.extra": Found("e", 1)}
    assert simple([step], without_it, ONE).is_empty
    assert todo(simple([step], without_it | extra, ONE)) == {"s": {"s1": "its inputs changed"}}
    with_it = result(step, "s1", {"input/sample.extra": Found("e", 1)}, ONE)
    assert simple([step], with_it | extra, ONE).is_empty


def test_columns_count_for_the_steps_that_use_them_alone() -> None:
    sheet = SampleSheet(("sample", "k", "note"), (("s1", "31", "old"),))
    uses, ignores = Step("uses", "s", columns=["k"]), Step("ignores", "s")
    objects = result(uses, "s1", {}, sheet, k="31") | result(ignores, "s1", {}, sheet)
    assert simple([uses, ignores], objects, sheet).is_empty
    noted = SampleSheet(sheet.columns, (("s1", "31", "new"),))
    assert simple([uses, ignores], objects, noted).is_empty
    other = SampleSheet(sheet.columns, (("s1", "25", "old"),))
    assert todo(simple([uses, ignores], objects, other)) == {
        "uses": {"s1": "its columns in the sheet changed"}
    }


def test_a_column_that_an_input_names_counts_and_chooses_the_object() -> None:
    sheet = SampleSheet(("sample", "k"), (("s1", "A"),))
    step = Step("s", "s", inputs=["input/{k}.txt"])
    outside = {"input/A.txt": Found("a", 1), "input/B.txt": Found("b", 1)}
    objects = outside | result(step, "s1", {"input/k.txt": Found("a", 1)}, sheet, k="A")
    assert simple([step], objects, sheet).is_empty
    other = SampleSheet(sheet.columns, (("s1", "B"),))
    assert todo(simple([step], objects, other)) == {"s": {"s1": "its columns in the sheet changed"}}


def test_a_script_over_the_library_depends_on_all_that_an_undeclared_upstream_published() -> None:
    first = Step("first", "s")
    second = Step("second", "s", after=[first])
    inputs = {"first/out": Found("first-s1", 1)}
    objects = result(first, "s1", {}, ONE) | result(second, "s1", inputs, ONE)
    assert simple([first, second], objects, ONE, drives=True).is_empty


def test_a_program_that_declares_nothing_of_a_step_only_waits_for_it() -> None:
    first = Step("first", "s")
    second = Step("second", "s", after=[first])
    objects = result(first, "s1", {}, ONE) | result(second, "s1", {}, ONE)
    assert simple([first, second], objects, ONE).is_empty
    assert not simple([first, second], objects, ONE, drives=True).is_empty


def test_of_an_upstream_of_which_a_file_is_declared_nothing_else_counts() -> None:
    first = Step("first", "s", outputs=["out"])
    second = Step("second", "s", after=[first], inputs=["first/out"])
    upstream = {"first/out": Found("first-s1", 1)}
    objects = result(first, "s1", {}, ONE) | result(second, "s1", upstream, ONE)
    assert simple([first, second], objects, ONE, drives=True).is_empty
    assert simple([first, second], objects, ONE).is_empty


def test_a_gather_over_the_library_depends_on_all_that_every_sample_published() -> None:
    first = Step("first", "s")
    gather = Step("gather", "s", per="run", after=[first])
    last = Step("last", "s", per="run", after=[gather])
    objects: Keys = {}
    for one in SHEET.samples:
        objects |= result(first, one, {})
    inputs = {f"first/{one}/out": Found(f"first-{one}", 1) for one in SHEET.samples}
    objects |= result(gather, None, inputs) | result(last, None, {"gather/out": Found("gather-None", 1)})
    assert simple([first, gather, last], objects, drives=True).is_empty
    assert todo(simple([first, gather, last], objects)) == {
        "gather": {None: "its inputs changed"},
        "last": {None: "gather runs again"},
    }


def test_a_gather_reads_outside_inputs_of_every_sample_and_single_ones() -> None:
    sheet = SampleSheet(("sample", "plate"), (("s1", "p1"), ("s2", "p2")))
    paths: list[str | Input] = [
        "input/{sample}.txt",
        "input/{plate}.csv",
        "input/all.txt",
        optional("input/none.txt"),
    ]
    gather = Step("gather", "s", per="run", inputs=paths)
    outside = {
        key: Found(key, 1)
        for key in ("input/s1.txt", "input/s2.txt", "input/p1.csv", "input/p2.csv", "input/all.txt")
    }
    inputs = {
        "input/s1/sample.txt": outside["input/s1.txt"],
        "input/s2/sample.txt": outside["input/s2.txt"],
        "input/s1/plate.csv": outside["input/p1.csv"],
        "input/s2/plate.csv": outside["input/p2.csv"],
        "input/all.txt": outside["input/all.txt"],
    }
    assert simple([gather], outside | result(gather, None, inputs, sheet), sheet).is_empty


def test_steps_after_a_gather_read_its_one_result() -> None:
    gather = Step("gather", "s", per="run", outputs=["out"])
    each = Step("each", "s", after=[gather], inputs=["gather/out"])
    twice = Step("twice", "s", per="run", after=[gather], inputs=["gather/out"])
    objects = result(gather, None, {})
    one = {"gather/out": Found("gather-None", 1)}
    for sample in SHEET.samples:
        objects |= result(each, sample, one)
    objects |= result(twice, None, one)
    assert simple([gather, each, twice], objects).is_empty
    plan = simple(
        [gather, each, twice], {key: value for key, value in objects.items() if "/gather/" not in key}
    )
    assert todo(plan) == {
        "gather": {None: "new"},
        "each": dict.fromkeys(SHEET.samples, "gather runs again"),
        "twice": {None: "gather runs again"},
    }


def test_an_upstream_file_may_be_named_by_the_sample() -> None:
    first = Step("first", "s")
    second = Step("second", "s", after=[first], inputs=["first/{sample}"])
    gather = Step("gather", "s", per="run", after=[first], inputs=["first/{sample}"])
    sheet = sheet_of("out")  # what `result` publishes is called so
    first_out = Found("first-out", 1)
    objects = (
        result(first, "out", {}, sheet)
        | result(second, "out", {"first/sample": first_out}, sheet)
        | result(gather, None, {"first/out/sample": first_out}, sheet)
    )
    assert simple([first, second, gather], objects, sheet).is_empty


def test_what_lies_beside_the_reference_is_read_from_outside(tree: Tree) -> None:
    index = Step("index", "s", per="reference", outputs=["genes.idx"])
    step = Step("s", "s", after=[index], inputs=["reference/genes.idx"])
    found = upstreams(step, Version("v", drives_its_child=True))
    assert found == {}


def test_upstreams_are_read_by_file_or_whole() -> None:
    first, second, third = Step("first", "s"), Step("second", "s"), Step("third", "s")
    step = Step("s", "s", after=[first, second, third], inputs=["second/x"])
    assert upstreams(step, Version("v")) == {"second": (second, False)}
    assert upstreams(step, Version("v", drives_its_child=True)) == {
        "first": (first, True),
        "second": (second, False),
        "third": (third, True),
    }


def test_the_work_is_the_samples_of_all_steps_in_the_sheets_order(tree: Tree, pipeline: Pipeline) -> None:
    tree.objects["input/s3.txt"] = Found("other", 1)
    del tree.objects[f"{LAYOUT.results}/b/s1/b.txt"]
    assert tree.plan(pipeline).work.samples == ["s1", "s3"]


@pytest.fixture
def all_todo(pipeline: Pipeline) -> Plan:
    """A plan of everything: index, a and b of s1 s2 s3, all."""
    tree = Tree()
    tree.objects.clear()
    return tree.plan(pipeline)


def held(plan: Plan) -> dict[str, int]:
    return {share.step.name: share.held for share in plan.steps if share.held}


def test_alongside_nothing_all_is_left(all_todo: Plan) -> None:
    left = without(all_todo, set(), ())
    assert todo(left) == todo(all_todo)
    assert held(left) == {}
    assert left.work == SHEET


def test_alongside_a_run_its_samples_and_what_gathers_them_are_left_out(all_todo: Plan) -> None:
    left = without(all_todo, {"s1", "s3"}, ())
    assert {name: list(reasons) for name, reasons in todo(left).items()} == {
        "index": [None],
        "a": ["s2"],
        "b": ["s2"],
    }
    assert held(left) == {"a": 2, "b": 2, "all": 1}
    assert left.work.samples == ["s2"]
    assert left.sheet == SHEET
    assert done(left) == done(all_todo)


def test_alongside_a_run_that_builds_the_reference_what_needs_it_waits(all_todo: Plan) -> None:
    left = without(all_todo, set(), {"index"})
    assert {name: list(reasons) for name, reasons in todo(left).items()} == {"a": SHEET.samples}
    assert held(left) == {"index": 1, "b": 3, "all": 1}


def test_samples_of_other_sheets_hold_nothing_up(all_todo: Plan) -> None:
    assert held(without(all_todo, {"elsewhere"}, {"elsewhere"})) == {}


def test_a_gather_waits_for_held_samples_that_have_nothing_to_do(tree: Tree, pipeline: Pipeline) -> None:
    plan = tree.plan(pipeline, all="edited")
    assert held(without(plan, {"s1"}, ())) == {"all": 1}
    assert held(without(plan, set(), ())) == {}


def test_a_step_per_reference_does_not_wait_for_samples(all_todo: Plan) -> None:
    assert "index" in todo(without(all_todo, {"s1", "s2", "s3"}, ()))


def test_a_reference_after_one_that_another_run_builds_waits() -> None:
    first = Step("first", "s", per="reference", outputs=["x"])
    second = Step("second", "s", per="reference", after=[first], outputs=["y"])
    left = without(simple([first, second], {}), set(), {"first"})
    assert held(left) == {"first": 1, "second": 1}


def test_what_a_run_has_of_a_step_with_nothing_to_do_holds_nothing_up(tree: Tree, pipeline: Pipeline) -> None:
    plan = tree.plan(pipeline, b="edited")
    left = without(plan, set(), {"index"})
    assert todo(left) == todo(plan)


def test_samples_after_a_gather_that_waits_wait_too() -> None:
    gather = Step("gather", "s", per="run")
    each = Step("each", "s", after=[gather])
    left = without(simple([gather, each], {}), {"s1"}, ())
    assert held(left) == {"gather": 1, "each": 3}
