"""What a script would do wrong is told from its text, before it runs."""

import pytest

import main
from pipeline import Pipeline, Step, optional
from pipeline.errors import Problem
from pipeline.model.sheet import SampleSheet
from pipeline.plan.code import pack
from pipeline.plan.scripts import Script, column_problems, fetch_problems, read_script
from tests.pipeline.examples import sheet_of

FIRST, SECOND = Step("first", "s.py", outputs=["a.txt", "b.txt"]), Step("second", "s.py")
INDEX = Step("index", "s.py", per="reference", outputs=["genes.idx"])


def read(text: str) -> Script:
    return read_script("s.py", text.encode())


def fetches(*calls: str) -> Script:
    """A script over the library that makes these calls."""
    return read("from steps import Child\ndef run(child, n):\n" + "".join(f"    {call}\n" for call in calls))


def problems(step: Step, *calls: str) -> list[Problem]:
    pipeline = Pipeline("toy", [INDEX, FIRST, SECOND, step])
    return list(fetch_problems(pipeline, step, fetches(*calls)))


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a", {(0, "a")}),
        ("import a.b, c as d", {(0, "a.b"), (0, "c")}),
        ("from a import b, c", {(0, "a"), (0, "a.b"), (0, "a.c")}),
        ("from . import a", {(1, ""), (1, ".a")}),
        ("from ..a import b", {(2, "a"), (2, "a.b")}),
        ("if x:\n  import a", {(0, "a")}),
        ("'import a'", set()),
    ],
)
def test_imports_are_told_wherever_they_stand(text: str, imports: set[tuple[int, str]]) -> None:
    assert set(read(text).imports) == imports


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ('child.fetch("first/a.txt")', "first/a.txt"),
        ('child.fetch("first", "a.txt")', "first/a.txt"),
        ('child.fetch("first", f"{n}.txt")', "first/"),
        ('child.fetch("first", "plots", "a.png")', "first/plots/a.png"),
        ('child.fetch("first", f"{n}", "a.png")', "first/"),
        ('child.fetch("first", "plots", n)', "first/plots/"),
        ('child.fetch_all("first/a.txt")', "first/a.txt"),
        ('child.read_tail("first/a.txt", 28)', "first/a.txt"),
        ('child.read_tail("first/a.txt", n)', "first/a.txt"),
        ('child.reference("genes.gtf")', "reference/genes.gtf"),
    ],
)
def test_a_fetch_of_a_written_path_is_told(call: str, path: str) -> None:
    assert fetches(call).fetches == (path,)


@pytest.mark.parametrize(
    "call",
    [
        "child.fetch(n)",
        'child.fetch(n, "a.txt")',
        'child.fetch(f"first/{n}")',
        "child.fetch(3)",
        "child.fetch()",
        "child.reference(n)",
        "child.reference()",
        'child.reference("a", "b")',
        'fetch("first/a.txt")',
        'child.publish("first/a.txt")',
        'child.fetch["first/a.txt"]',
    ],
)
def test_what_is_no_fetch_of_a_written_path_is_not_told(call: str) -> None:
    assert fetches(call).fetches == ()


def test_a_script_that_is_no_python_tells_the_columns_alone() -> None:
    script = read_script("s.sh", b"import steps; child.fetch('x/y') $SAMPLE_K")
    assert script == Script("s.sh", variables=frozenset({"K"}))


def test_a_script_that_does_not_parse_is_told_with_its_name() -> None:
    with pytest.raises(SyntaxError) as caught:
        read("x = = 1")
    assert caught.value.filename == "s.py"


@pytest.mark.parametrize(
    ("text", "drives"),
    [
        ("from steps import Child", True),
        ("import steps.library.child", True),
        ("import stepsize", False),
        ("from .steps import x", False),
        ("from lab import steps", False),
        ("", False),
    ],
)
def test_a_script_drives_its_child_when_it_imports_the_library(text: str, drives: bool) -> None:
    assert read(text).drives_its_child is drives


def test_fetching_from_a_step_that_is_not_waited_for_is_refused() -> None:
    [problem] = problems(Step("s", "s.py", after=[SECOND]), 'child.fetch("first", "a.txt")')
    assert problem.what == "it fetches 'first/a.txt' of a step that it does not wait for"
    assert problem.where == "s.py, step 's' of pipeline 'toy'"
    assert problem.fix == "name the step 'first' in after=[…] of 's'"


def test_fetching_every_samples_file_of_a_step_that_is_not_waited_for_is_refused() -> None:
    [problem] = problems(Step("s", "s.py", per="run"), 'child.fetch_all("first/a.txt")')
    assert "does not wait for" in problem.what


def test_fetching_a_file_that_is_named_as_it_runs_is_refused_by_its_step() -> None:
    [problem] = problems(Step("s", "s.py"), 'child.fetch("first", f"r{n}.fq")')
    assert problem.what == "it fetches 'first/' of a step that it does not wait for"


def test_what_a_step_per_reference_makes_is_not_fetched_from_the_step() -> None:
    [problem] = problems(Step("s", "s.py", after=[INDEX]), 'child.fetch("index", "genes.idx")')
    assert "does not wait for" in problem.what


def test_fetching_from_a_step_that_is_waited_for_passes() -> None:
    step = Step("s", "s.py", after=[FIRST])
    assert not problems(step, 'child.fetch("first/a.txt")', 'child.fetch("first", f"{n}")')


def test_of_a_step_of_which_a_file_is_declared_no_other_can_be_fetched() -> None:
    step = Step("s", "s.py", after=[FIRST], inputs=["first/a.txt"])
    assert not problems(step, 'child.fetch("first/a.txt")')
    [problem] = problems(step, 'child.fetch("first", "b.txt")')
    assert problem.what == "it fetches 'first/b.txt', which the step does not declare"
    assert problem.where == "s.py, step 's' of pipeline 'toy'"
    assert problem.fix == "declare it: inputs=['first/b.txt'] of 's'"


@pytest.mark.parametrize("call", ['child.fetch("input/{sample}.bam")', 'child.reference("genes.gtf")'])
def test_fetching_what_is_not_declared_is_refused(call: str) -> None:
    [problem] = problems(Step("s", "s.py"), call)
    assert "which the step does not declare" in problem.what
    declared = Step("s", "s.py", inputs=["input/{sample}.bam", optional("reference/genes.gtf")])
    assert not problems(declared, call)


def test_an_input_may_be_fetched_by_its_name_on_disk() -> None:
    assert not problems(Step("s", "s.py", inputs=["input/{sample}.bam"]), 'child.fetch("input/sample.bam")')


def test_a_file_in_a_folder_of_a_step_is_of_that_step() -> None:
    [problem] = problems(Step("s", "s.py"), 'child.fetch("first", "plots", "a.png")')
    assert problem.what == "it fetches 'first/plots/a.png' of a step that it does not wait for"
    assert not problems(Step("s", "s.py", after=[FIRST]), 'child.fetch("first", "plots", "a.png")')


def test_a_python_program_reads_columns_as_any_other() -> None:
    step = Step("s", "s.py")
    script = read("import os\nos.environ['SAMPLE_K']\n")
    assert len(list(column_problems(Pipeline("toy", [step]), step, script, SHEET))) == 1


def test_fetching_from_a_step_that_there_is_not_is_refused() -> None:
    [problem] = problems(Step("s", "s.py", after=[FIRST]), 'child.fetch("frist/a.txt")')
    assert problem.what == "it fetches 'frist/a.txt', which the step does not declare"


@pytest.mark.parametrize("call", ['child.fetch("input", f"{n}.bam")', 'child.fetch("word")'])
def test_a_fetch_whose_file_is_not_written_is_left_to_the_library(call: str) -> None:
    assert not problems(Step("s", "s.py"), call)


def test_the_same_fetch_is_told_once() -> None:
    assert (
        len(problems(Step("s", "s.py"), 'child.fetch("first/a.txt")', 'child.fetch("first", "a.txt")')) == 1
    )


def test_every_wrong_fetch_is_told() -> None:
    assert len(problems(Step("s", "s.py"), 'child.fetch("first/a")', 'child.fetch("input/x")')) == 2


def test_a_script_that_does_not_drive_its_child_may_call_what_it_likes() -> None:
    step = Step("s", "s.py")
    script = read('database.fetch("first/a.txt")')
    assert script.fetches
    assert not list(fetch_problems(Pipeline("toy", [FIRST, step]), step, script))


def test_the_default_pipeline_fetches_what_it_may() -> None:
    code = pack(main.fusion)
    assert not [
        problem
        for step in main.fusion.steps
        for problem in fetch_problems(main.fusion, step, code.steps[step.name].script)
    ]


SHEET = SampleSheet(("sample", "k", "library prep"), (("x", "31", "a"),))


def columns(step: Step, text: str, sheet: SampleSheet = SHEET) -> list[Problem]:
    return list(column_problems(Pipeline("toy", [step]), step, read_script("s.sh", text.encode()), sheet))


def test_a_program_that_reads_an_undeclared_column_is_refused() -> None:
    [problem] = columns(Step("s", "s.sh"), 'tool -k "$SAMPLE_K"')
    assert problem.what == "it reads SAMPLE_K, and the step does not declare the column 'k'"
    assert problem.where == "s.sh, step 's' of pipeline 'toy'"
    assert problem.fix == "declare it: columns=['k'] of 's'"


def test_every_undeclared_column_is_told_by_the_name_that_the_sheet_has() -> None:
    found = columns(Step("s", "s.sh"), "${SAMPLE_LIBRARY_PREP} $SAMPLE_K $SAMPLE_K")
    assert [problem.fix for problem in found] == [
        "declare it: columns=['k'] of 's'",
        "declare it: columns=['library prep'] of 's'",
    ]


@pytest.mark.parametrize(
    "text", ["$SAMPLE", "$SAMPLE_DOSE", "$MY_SAMPLE_K", "$SAMPLE_K2", "$SAMPLE_Kay", "sample_k", "$SAMPLE_"]
)
def test_what_is_no_column_of_the_sheet_is_no_problem(text: str) -> None:
    assert not columns(Step("s", "s.sh"), text)


def test_a_declared_column_and_one_that_an_input_names_may_be_read() -> None:
    step = Step("s", "s.sh", columns=["library prep"], inputs=["input/{k}.txt"])
    assert not columns(step, "$SAMPLE_K $SAMPLE_LIBRARY_PREP")


def test_the_samples_own_name_is_no_column_to_declare() -> None:
    assert not columns(Step("s", "s.sh"), "$SAMPLE_SAMPLE $SAMPLE", sheet_of("x"))
