"""A pipeline that cannot run is refused with everything that is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

import main
from pipeline import Pipeline, Step, optional
from pipeline.errors import InputError
from pipeline.model.check import check_columns, check_pipeline
from pipeline.model.sheet import SampleSheet
from steps.library.contract import Input
from tests.pipeline.examples import sheet_of, toy


def said(pipeline: Pipeline) -> list[str]:
    """What is wrong, sentence by sentence."""
    with pytest.raises(InputError) as caught:
        check_pipeline(pipeline)
    return [problem.what for problem in caught.value.problems]


def only(*steps: Step, **changes: Any) -> str:
    """The one thing that is wrong with a pipeline of these steps."""
    [what] = said(Pipeline("toy", steps, **changes))
    return what


def one(**changes: Any) -> Step:
    return Step(**{"name": "s", "script": "s.sh", **changes})


FIRST = Step("first", "s.sh", outputs=["a.txt", "b.txt"])
INDEX = Step("index", "s.sh", per="reference", outputs=["genes.idx"])


def test_a_good_pipeline_passes(tmp_path: Path) -> None:
    check_pipeline(toy(tmp_path))


def test_the_default_pipeline_passes() -> None:
    check_pipeline(main.fusion)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vcpus": 0}, "vcpus=0 is below 1"),
        ({"memory_mib": 3}, "memory_mib=3 is below 4"),
        ({"timeout_s": 59}, "timeout_s=59 is below 60"),
        ({"retries": -1}, "retries=-1 is below 0"),
        ({"retries": 10}, "retries=10 is over 9"),
        ({"per": "plate"}, "per='plate' is not 'sample', 'run' or 'reference'"),
        ({"mounts": ["input", "home"]}, "mounts=['input', 'home'] are not 'input' and 'output'"),
        ({"name": "input"}, "the name 'input' is taken by the bucket's layout"),
        ({"name": "reference"}, "the name 'reference' is taken by the bucket's layout"),
        ({"name": "Bad Name"}, "the name 'Bad Name' is not lower-case letters, digits, - and _ (at most 40)"),
        (
            {"name": "n" * 41},
            f"the name {'n' * 41!r} is not lower-case letters, digits, - and _ (at most 40)",
        ),
        ({"name": "2nd"}, "the name '2nd' is not lower-case letters, digits, - and _ (at most 40)"),
    ],
)
def test_a_step_outside_the_limits_is_refused(changes: dict[str, Any], words: str) -> None:
    assert only(one(**changes)) == words


@pytest.mark.parametrize(
    "changes",
    [
        {"vcpus": 1, "memory_mib": 4, "timeout_s": 60, "retries": 0},
        {"retries": 9},
        {"mounts": ["input", "output"]},
        {"name": "n" * 40},
        {"parameters": {"K": "31", "_x1": "", "SAMPLES": "8", "MY_SAMPLE_K": "1", "AWS_REGION": "x"}},
    ],
)
def test_a_step_at_its_limits_passes(changes: dict[str, Any]) -> None:
    check_pipeline(Pipeline("toy", [one(**changes)]))


@pytest.mark.parametrize(
    "name",
    [
        "AWS_BATCH_JOB_ID",
        "PIPELINE_RUN",
        "BATCH_FILE_TYPE",
        "SAMPLE_K",
        "SAMPLE",
        "VCPUS",
        "MEMORY_MIB",
    ],
)
def test_a_parameter_of_a_reserved_name_is_refused(name: str) -> None:
    assert only(one(parameters={name: "x"})) == f"the parameter {name!r} is reserved"


@pytest.mark.parametrize("name", ["a-b", "2x", "", "a b", "A=B"])
def test_a_parameter_that_is_no_variables_name_is_refused(name: str) -> None:
    assert only(one(parameters={name: "x"})) == (
        f"the parameter {name!r} is no variable's name: letters, digits and _"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {"K": 3}}, "parameters={'K': 3}: a value is text: write '3'"),
        ({"parameters": {3: "K"}}, "parameters={3: 'K'}: a value is text: write 'K'"),
        ({"parameters": [("K", "3")]}, "parameters=[('K', '3')] is no mapping: write parameters={'NAME': 'value'}"),
        ({"memory_mib": "2000"}, "memory_mib='2000' is not a whole number"),
        ({"vcpus": True}, "vcpus=True is not a whole number"),
        ({"timeout_s": 90.5}, "timeout_s=90.5 is not a whole number"),
        ({"retries": None}, "retries=None is not a whole number"),
        ({"image": None}, "image=None is not text"),
        ({"script": Path("s.sh")}, f"script={Path('s.sh')!r} is not text"),
        ({"name": 7}, "name=7 is not text"),
        ({"per": ["sample"]}, "per=['sample'] is not text"),
        ({"inputs": "input/x"}, "inputs='input/x' is not a list: write inputs=['input/x']"),
        ({"outputs": "x"}, "outputs='x' is not a list: write outputs=['x']"),
        ({"columns": "k"}, "columns='k' is not a list: write columns=['k']"),
        ({"mounts": "input"}, "mounts='input' is not a list: write mounts=['input']"),
        ({"after": FIRST}, "after=first is not a list: write after=[first]"),
        ({"after": "first"}, "after='first' is not a list: write after=['first']"),
        ({"after": ["first"]}, "after holds 'first', which is not a Step"),
        ({"inputs": [3]}, "inputs holds 3, which is not text"),
        ({"inputs": [Input(3)]}, "inputs holds 3, which is not text"),  # type: ignore[arg-type]
        ({"outputs": [None]}, "outputs holds None, which is not text"),
        ({"outputs": 3}, "outputs=3 is not a list: write outputs=[3]"),
        ({"inputs": 3}, "inputs=3 is not a list: write inputs=[3]"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_told_with_the_right_way_to_write_it(
    changes: dict[str, Any], words: str
) -> None:
    assert only(one(**changes)) == words


def test_steps_and_files_are_lists_too() -> None:
    pipeline: Any = Pipeline("toy", [one()], files="table.tsv")
    assert said(pipeline) == ["files='table.tsv' is not a list: write files=['table.tsv']"]
    pipeline = Pipeline("toy", [one()], files=[Path("table.tsv")])  # type: ignore[list-item]
    assert said(pipeline) == [f"files holds {Path('table.tsv')!r}, which is not text"]
    alone: Any = one()
    assert said(Pipeline("toy", alone)) == ["steps=s is not a list: write steps=[s]"]
    names: Any = ["s"]
    assert said(Pipeline("toy", names)) == ["steps holds 's', which is not a Step"]


def test_a_folder_is_a_path() -> None:
    folder: Any = "."
    assert said(Pipeline("toy", [one()], folder=folder)) == ["folder='.' is no path: write folder=Path('.')"]


@pytest.mark.parametrize("name", ["My Pipeline", "", "n" * 41, None, "a/b"])
def test_a_pipelines_name_is_a_short_lower_case_word(name: Any) -> None:
    assert said(Pipeline(name, [one()])) == [
        f"the pipeline's name {name!r} is not lower-case letters, digits, - and _ (at most 40); "
        "or give --pipeline-name"
    ]


def test_a_pipeline_without_steps_is_refused() -> None:
    assert said(Pipeline("toy", [])) == ["the pipeline has no steps: give it a Step"]


def test_a_problem_says_which_step_of_which_pipeline_and_where_to_mend_it() -> None:
    with pytest.raises(InputError) as caught:
        check_pipeline(Pipeline("toy", [one(vcpus=0)]))
    [problem] = caught.value.problems
    assert (problem.where, problem.fix) == ("step 's' of pipeline 'toy'", "change it in the pipeline's file")
    with pytest.raises(InputError) as caught:
        check_pipeline(Pipeline("toy", []))
    [problem] = caught.value.problems
    assert (problem.where, problem.fix) == ("pipeline 'toy'", "change it in the pipeline's file")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    bad: Any = {"memory_mib": "2000", "parameters": {"K": 3}, "outputs": "x"}
    steps = [
        one(name="Bad Name", vcpus=0, outputs=["/etc/x", "x", "x"]),
        one(name="two", **bad),
        one(name="two", after=[FIRST], inputs=["nobody/x", "up/../x"]),
    ]
    assert len(said(Pipeline("toy", steps))) == 4 + 3 + 5


def test_a_step_of_the_wrong_types_does_not_hide_what_is_wrong_with_the_others() -> None:
    broken: Any = {"name": ["x"], "outputs": 5}
    nameless = one(**broken)
    reader = one(name="reader", after=[nameless], inputs=["x/a"], vcpus=0)
    assert said(Pipeline("toy", [nameless, reader])) == [
        "name=['x'] is not text",
        "outputs=5 is not a list: write outputs=[5]",
        "vcpus=0 is below 1",
        "the input 'x/a' is of a step 'x', which there is not",
    ]


def test_an_output_list_of_the_wrong_type_is_said_once_and_not_of_its_readers() -> None:
    broken: Any = {"outputs": 5}
    first = one(name="first", **broken)
    reader = one(name="reader", after=[first], inputs=["first/a"])
    assert said(Pipeline("toy", [first, reader])) == ["outputs=5 is not a list: write outputs=[5]"]


def test_two_steps_of_one_name_are_refused() -> None:
    assert only(one(), one()) == "two steps are named 's'"


def test_a_step_cannot_come_after_one_that_is_listed_later() -> None:
    first = one(name="first")
    assert only(one(after=[first]), first) == "it comes after 'first', which is not listed before it"


def test_a_step_cannot_come_after_one_that_is_not_in_the_pipeline() -> None:
    assert only(one(after=[FIRST])) == "it comes after 'first', which is not listed before it"


def test_a_step_comes_after_no_more_steps_than_batch_allows() -> None:
    many = [one(name=f"s{number}") for number in range(21)]
    check_pipeline(Pipeline("toy", [*many, one(name="last", after=many[:20])]))
    assert only(*many, one(name="last", after=many)) == "it comes after 21 steps; Batch allows 20"


def test_a_step_per_reference_cannot_wait_for_samples() -> None:
    after = one(name="late", per="reference", after=[FIRST])
    assert only(FIRST, after) == "a step per reference cannot wait for 'first', which is per sample"
    check_pipeline(Pipeline("toy", [INDEX, one(name="late", per="reference", after=[INDEX])]))


def test_a_declared_input_of_a_step_that_it_does_not_wait_for_is_refused() -> None:
    assert only(FIRST, one(inputs=["first/a.txt"])) == (
        "the input 'first/a.txt' is of step 'first', which it does not wait for: name it in after=[…]"
    )


def test_waiting_for_a_step_that_waits_for_it_is_not_enough() -> None:
    middle = one(name="middle", after=[FIRST], outputs=["m"])
    what = only(FIRST, middle, one(after=[middle], inputs=["first/a.txt"]))
    assert "does not wait for" in what


def test_an_input_of_a_step_that_there_is_not_is_refused() -> None:
    assert only(one(inputs=["frist/a.txt"])) == (
        "the input 'frist/a.txt' is of a step 'frist', which there is not"
    )


def test_an_output_that_the_step_does_not_declare_is_refused_as_an_input() -> None:
    assert only(FIRST, one(after=[FIRST], inputs=["first/c.txt"])) == (
        "the input 'first/c.txt' is none of the outputs of 'first': a.txt, b.txt"
    )


def test_an_optional_input_and_one_of_a_step_that_declares_nothing_may_be_of_any_name() -> None:
    silent = one(name="silent")
    reader = one(after=[FIRST, silent], inputs=[optional("first/c.txt"), "silent/x.txt"])
    check_pipeline(Pipeline("toy", [FIRST, silent, reader]))


def test_what_a_step_builds_beside_the_reference_is_read_from_there() -> None:
    assert only(INDEX, one(after=[INDEX], inputs=["index/genes.idx"])) == (
        "the input 'index/genes.idx' lies beside the reference: write reference/genes.idx"
    )
    check_pipeline(Pipeline("toy", [INDEX, one(after=[INDEX], inputs=["reference/genes.idx"])]))


@pytest.mark.parametrize("path", ["genes.gtf", "input", "reference"])
def test_an_input_of_no_folder_is_refused(path: str) -> None:
    assert only(one(inputs=[path])) == (
        f"the input {path!r} names no folder: write input/…, reference/… or <step>/…"
    )


def test_a_step_per_reference_has_no_sample() -> None:
    step = one(per="reference", inputs=["input/{sample}.bam"])
    assert only(step) == "the input 'input/{sample}.bam' names a sample; a step per reference has none"


def test_two_inputs_that_would_be_one_file_on_disk_are_refused() -> None:
    assert only(one(inputs=["input/{k}.txt", "input/k.txt"])) == (
        "the inputs 'input/{k}.txt' and 'input/k.txt' would both be the file 'input/k.txt' in the working folder"
    )


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", "", "a/."])
def test_an_output_is_a_path_below_the_folder_spelled_in_one_way(path: str) -> None:
    assert f"the output {path!r} is no path below a folder: no / in front or twice, no . or .." in said(
        Pipeline("toy", [one(outputs=[path])])
    )


@pytest.mark.parametrize("path", ["input/../x", "/input/x", "input//x", "input/x/."])
def test_an_input_is_a_path_below_its_folder_spelled_in_one_way(path: str) -> None:
    assert f"the input {path!r} is no path below a folder: no / in front or twice, no . or .." in said(
        Pipeline("toy", [one(inputs=[path])])
    )


def test_an_output_in_a_folder_passes() -> None:
    check_pipeline(Pipeline("toy", [one(outputs=["plots/a..b.png", ".hidden", "SUCCESS"])]))


def test_an_output_is_called_the_same_for_every_sample() -> None:
    assert only(one(outputs=["{sample}.txt"])) == (
        "the output '{sample}.txt' has a column in its name; it is the same for every sample"
    )


@pytest.mark.parametrize("path", ["_SUCCESS.json", "deep/_SUCCESS"])
def test_an_output_that_is_called_as_a_marker_is_refused(path: str) -> None:
    assert only(one(outputs=[path])) == f"the output {path!r} is called as a success marker is"


def test_an_output_that_is_listed_twice_is_refused() -> None:
    assert only(one(outputs=["a", "b", "a"])) == "an output is listed twice"


def test_two_reference_steps_with_the_same_output_are_refused() -> None:
    again = one(name="again", per="reference", outputs=["genes.idx", "other.idx"])
    assert only(INDEX, again) == (
        "the output 'genes.idx' is one of 'index' too, and both lie beside the reference"
    )


def test_steps_that_publish_in_folders_of_their_own_may_name_outputs_alike() -> None:
    check_pipeline(Pipeline("toy", [INDEX, FIRST, one(outputs=["a.txt", "genes.idx"])]))


def test_a_reference_step_of_the_wrong_types_does_not_hide_another() -> None:
    broken: Any = {"outputs": 5}
    steps = [one(name="bad", per="reference", **broken), INDEX]
    assert said(Pipeline("toy", steps)) == ["outputs=5 is not a list: write outputs=[5]"]


def test_a_column_that_the_sheet_lacks_is_said_with_those_that_it_has() -> None:
    pipeline = Pipeline("toy", [one(columns=["plate"], inputs=["input/{dose}.txt"]), FIRST])
    with pytest.raises(InputError) as caught:
        check_columns(pipeline, SampleSheet(("sample", "plate"), (("x", "1"),)))
    [problem] = caught.value.problems
    assert problem.what == "step 's' uses the column 'dose', which the sample sheet does not have"
    assert problem.where == "the sheet's columns: sample, plate"
    assert problem.fix == (
        "add the column to the sheet, under a header, or correct the name in the pipeline's file"
    )


def test_all_columns_that_the_sheet_lacks_are_said_at_once() -> None:
    pipeline = Pipeline("toy", [one(columns=["a", "b"]), one(name="t", columns=["a"])])
    with pytest.raises(InputError) as caught:
        check_columns(pipeline, sheet_of("x"))
    assert len(caught.value.problems) == 3


def test_a_sheet_that_has_every_column_passes() -> None:
    sheet = SampleSheet(("sample", "k"), (("x", "1"),))
    check_columns(Pipeline("toy", [one(columns=["k", "sample"], inputs=["input/{sample}.{k}"])]), sheet)
