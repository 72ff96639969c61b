"""Which results stand, and whose they are: what was edited runs again, and nothing else does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.acceptance.lab import Lab, Listing
from tests.acceptance.study import SHEET, write_study
from tests.waiting import wait_until

# ── two batches of one lab, whose samples have the same names


def bring_two_batches(lab: Lab) -> None:
    lab.bring("p1", "p2", words="one two", prefix="input/monday")
    lab.bring("p1", "p2", words="one two three", prefix="input/friday")


def test_another_input_place_over_the_same_results_is_refused_with_the_ways_out(lab: Lab) -> None:
    bring_two_batches(lab)
    assert lab.run("--input-prefix", "input/monday").exit_code == 0
    before = lab.listing()
    answer = lab.run("--input-prefix", "input/friday")
    assert answer.exit_code == 2
    assert f"s3://{lab.bucket.name}/input/monday" in answer.stderr
    assert "--results-prefix" in answer.stderr
    assert "--pipeline-name" in answer.stderr
    assert lab.listing() == before


def test_each_batch_has_its_own_patients_results_however_often_both_are_run(lab: Lab) -> None:
    bring_two_batches(lab)
    monday = ["--input-prefix", "input/monday"]
    friday = ["--input-prefix", "input/friday", "--results-prefix", "results/friday"]
    for _ in range(2):
        for batch in (monday, friday):
            assert lab.run(*batch).exit_code == 0
        assert lab.read("count/p1/count.txt").strip() == "4"
        assert lab.read("count/p1/count.txt", "results/friday").strip() == "6"
    assert "nothing was recomputed" in lab.run(*friday).stderr


# ── a pipeline that cannot be right

WRONG: dict[str, tuple[str, str]] = {
    "reads a step that it does not wait for": (
        """b = Step("b", "b.sh", inputs=["a/a.txt"], outputs=["b.txt"])""",
        "is of step 'a', which it does not wait for: name it in after=[…]",
    ),
    "reads a step that there is not": (
        """b = Step("b", "b.sh", after=[a], inputs=["c/c.txt"], outputs=["b.txt"])""",
        "is of a step 'c', which there is not",
    ),
    "reads a file that the step does not make": (
        """b = Step("b", "b.sh", after=[a], inputs=["a/other.txt"], outputs=["b.txt"])""",
        "is none of the outputs of 'a': a.txt",
    ),
    "fetches from a step that it does not wait for": (
        """b = Step("b", "fetch_a.py", outputs=["b.txt"])""",
        "it fetches 'a/a.txt' of a step that it does not wait for",
    ),
    "fetches an input that it does not declare": (
        """b = Step("b", "fetch_input.py", after=[a], outputs=["b.txt"])""",
        "it fetches 'input/{sample}.txt', which the step does not declare",
    ),
    "reads a column that it does not declare": (
        """b = Step("b", "column.sh", after=[a], outputs=["b.txt"])""",
        "it reads SAMPLE_DOSE, and the step does not declare the column 'dose'",
    ),
    "has the name of another step": (
        """b = Step("a", "b.sh", after=[a], outputs=["b.txt"])""",
        "two steps are named 'a'",
    ),
}
OVER_THE_LIBRARY = (
    "from steps import Child, main\n\n\ndef b(child: Child) -> None:\n    child.fetch({})\n\n\nmain(b)\n"
)


@pytest.mark.parametrize("kind", WRONG)
def test_a_step_that_could_not_be_right_is_refused_before_anything_is_written(lab: Lab, kind: str) -> None:
    step, said = WRONG[kind]
    lab.bring("s1", "s2")
    lab.write_sheet("sample,dose\ns1,5\ns2,9\n")
    for name, text in {
        "a.sh": "#!/bin/sh\ncp input/sample.txt a.txt\n",
        "b.sh": "#!/bin/sh\necho b > b.txt\n",
        "column.sh": '#!/bin/sh\necho "$SAMPLE_DOSE" > b.txt\n',
        "fetch_a.py": OVER_THE_LIBRARY.format('"a", "a.txt"'),
        "fetch_input.py": OVER_THE_LIBRARY.format('"input", "{sample}.txt"'),
        "my_pipeline.py": 'from pipeline import Pipeline, Step\n\na = Step("a", "a.sh", '
        f'inputs=["input/{{sample}}.txt"], outputs=["a.txt"])\n{step}\npipeline = Pipeline("wrong", [a, b])\n',
    }.items():
        (lab.folder / name).write_text(text)
    before = lab.listing()
    answer = lab.run()
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert lab.listing() == before


# ── what was edited, and what runs again because of it

SHOUTS, COUNTS, TABLES = ({f"{step}/a", f"{step}/b"} for step in ("shout", "count", "table"))
Edit = Callable[[Lab], None]
EDITS: dict[str, tuple[Edit, dict[str, int], set[str]]] = {
    "a script": (
        lambda lab: lab.edit("count.sh", "wc -c", "wc -w"),
        {"shout": 0, "count": 2, "table": 1},
        {*COUNTS, "table"},
    ),
    "a script, to no effect": (
        lambda lab: lab.edit("count.sh", "wc -c", "wc -c "),
        {"shout": 0, "count": 2, "table": 1},
        COUNTS,
    ),
    "the last script": (
        lambda lab: lab.edit("table.sh", "cat", "cat -n"),
        {"shout": 0, "count": 0, "table": 1},
        {"table"},
    ),
    "an imported module": (
        lambda lab: lab.edit("accent.py", "upper()", "lower() * 2"),
        {"shout": 2, "count": 2, "table": 1},
        {*SHOUTS, *COUNTS, "table"},
    ),
    "a parameter": (
        lambda lab: lab.edit("my_pipeline.py", '"TIMES": "2"', '"TIMES": "3"'),
        {"shout": 2, "count": 2, "table": 1},
        {*SHOUTS, *COUNTS, "table"},
    ),
    "a column that is used": (
        lambda lab: lab.write_sheet(SHEET.replace("b,?,", "b,???,")),
        {"shout": 1, "count": 1, "table": 1},
        {"shout/b", "count/b", "table"},
    ),
    "a column that is not used": (
        lambda lab: lab.write_sheet(SHEET.replace("second", "2nd")),
        {"shout": 0, "count": 0, "table": 0},
        set(),
    ),
    "the order of the sheet's columns": (
        lambda lab: lab.write_sheet("sample,note,mark\na,first,!\nb,second,?\n"),
        {"shout": 0, "count": 0, "table": 0},
        set(),
    ),
    "an input": (
        lambda lab: lab.bucket.write("input/a.txt", b"quite other words\n"),
        {"shout": 1, "count": 1, "table": 1},
        {"shout/a", "count/a", "table"},
    ),
    "memory": (
        lambda lab: lab.edit("my_pipeline.py", "memory_mib=64", "memory_mib=65"),
        {"shout": 0, "count": 0, "table": 0},
        set(),
    ),
}


@pytest.fixture
def study(lab: Lab) -> Lab:
    """The pipeline of study.py, over two samples of three columns."""
    write_study(lab.folder)
    lab.bring("a", "b")
    lab.write_sheet(SHEET)
    return lab


@pytest.mark.parametrize("edited", EDITS)
def test_what_was_edited_runs_again_with_what_follows_from_it(study: Lab, edited: str) -> None:
    edit, todo, again = EDITS[edited]
    assert study.run().exit_code == 0
    before = folders_of(study)
    edit(study)
    assert study.plan() == todo
    answer = study.run("--json")
    assert answer.exit_code == 0, answer.stderr
    after = folders_of(study)
    assert {name for name in after if after[name] != before.get(name)} == again
    assert set(study.plan().values()) == {0}


def folders_of(lab: Lab) -> dict[str, str]:
    """The marker of each result; a step of the whole run goes by its own name, whatever its samples."""
    return {
        name.split("/")[0] if name.startswith("table/") else name: marker
        for name, marker in lab.marked().items()
    }


def test_a_result_that_was_removed_is_made_again_with_the_same_bytes(study: Lab) -> None:
    assert study.run().exit_code == 0
    key = f"results/{study.name}/default/shout/a/shout.txt"
    before = study.bucket.read(key)
    study.bucket.delete(key)
    assert study.plan() == {"shout": 1, "count": 1, "table": 1}
    assert study.run().exit_code == 0
    assert study.bucket.read(key) == before


# ── two steps of one name to Luigi


def test_steps_named_step_1_and_step1_are_two_steps(lab: Lab) -> None:
    lab.bring("s1", "s2")
    lab.edit("my_pipeline.py", '"twice"', '"step-1"')
    lab.edit("my_pipeline.py", '"count"', '"step1"')
    lab.edit("my_pipeline.py", '"twice/twice.txt"', '"step-1/twice.txt"')
    lab.edit("my_pipeline.py", '"count/count.txt"', '"step1/count.txt"')
    lab.edit("count.sh", "twice/", "step-1/")
    lab.edit("table.sh", "find count", "find step1")
    answer = lab.run("--json")
    assert answer.exit_code == 0, answer.stderr
    assert [step["counts"]["SUCCEEDED"] for step in answer.json["steps"]] == [2, 2, 1]
    assert lab.read("step1/s1/count.txt").strip() == "8"


# ── a child that is killed while it publishes

OUTPUTS = 150


@pytest.mark.parametrize("after_s", [0, 0.03, 0.06, 0.12])
def test_a_child_killed_while_it_publishes_leaves_nothing_that_stands(
    lab: Lab, own_state: Path, gate: Path, after_s: float
) -> None:
    names = [f"part{number}.txt" for number in range(OUTPUTS)]
    lab.edit("count.sh", "wc -w < twice/twice.txt > count.txt", MANY.format(" ".join(names)))
    lab.edit("my_pipeline.py", 'outputs=["count.txt"]', f"outputs={names}")
    lab.edit("my_pipeline.py", '"count/count.txt"', '"count/part7.txt"')
    lab.edit("table.sh", "count.txt", "part7.txt")
    lab.bring("s1")
    client = lab.start()
    wait_until(lambda: children_that_run(own_state, "count.sh"))
    [child] = children_that_run(own_state, "count.sh")
    kill_while_it_publishes(lab, child, gate, after_s)
    client.communicate(timeout=60)
    assert lab.run().exit_code == 0
    fresh = lab.named(f"{lab.name}-x")
    assert fresh.run().exit_code == 0
    assert contents(lab) == contents(fresh)
    assert set(lab.plan().values()) == {0}


MANY = 'for part in {}; do echo "$SAMPLE" > "$part"; done'


def kill_while_it_publishes(lab: Lab, child: psutil.Process, gate: Path, after_s: float) -> None:
    """The child has ended by SIGKILL, so long after its first file was in the bucket; at once is before its last."""
    prefix = f"results/{lab.name}/default/count/s1/"
    gate.unlink()
    wait_until(lambda: lab.listing(prefix), every_s=0.001)
    threading.Event().wait(after_s)
    with contextlib.suppress(psutil.NoSuchProcess):
        child.kill()
    assert after_s or 0 < len(lab.listing(prefix)) < OUTPUTS


def children_that_run(home: Path, program: str) -> list[psutil.Process]:
    """The processes of children of the endpoint there whose program runs now."""
    found = [parent_of(process, home, program) for process in psutil.process_iter()]
    return [process for process in found if process]


def parent_of(process: psutil.Process, home: Path, program: str) -> psutil.Process | None:
    """What started a process of that program in a child's working folder; None for any other process."""
    try:
        is_program = any(word.endswith(f"/{program}") for word in process.cmdline())
        is_below = Path(process.cwd()).is_relative_to(home.resolve())
        return process.parent() if is_program and is_below else None
    except (psutil.Error, OSError):
        return None


def contents(lab: Lab) -> Listing:
    """What the results hold, by their names below the pipeline's; markers by their names alone."""
    prefix = f"results/{lab.name}/"
    return {
        key.removeprefix(prefix): ("", 0, "") if "_SUCCESS." in key else (etag, size, "")
        for key, (etag, size, _) in lab.listing(prefix).items()
        if size
    }
