"""What would go wrong is told before a run, with the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import Pipeline, Step, optional
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from pipeline.errors import InputError, Problem
from pipeline.model.sheet import SampleSheet
from pipeline.plan.plan import Inventory
from pipeline.plan.preflight import check_bucket, missing_inputs, mount_problems, no_queue, queue_problems
from steps.library.contract import Found
from tests.pipeline.examples import LAYOUT, sheet_of, toy

SHEET = sheet_of(*(f"s{number}" for number in range(12)))
QUEUE = {"jobQueueName": "q", "state": "ENABLED", "status": "VALID"}
MACHINES = [{"computeResources": {"maxvCpus": 2}}, {"computeResources": {"maxvCpus": 1}}]
HERE = Found("etag", 1)


class Absent(Bucket):
    """A bucket that is there or not."""

    def __init__(self, is_there: bool) -> None:
        self.name = "lab"
        self._is_there = is_there

    def exists(self) -> bool:
        return self._is_there


class Where(Cloud):
    def __init__(self, is_local: bool) -> None:
        self.is_local = is_local

    @property
    def where(self) -> str:
        return "here"


def test_a_bucket_that_is_there_is_no_problem() -> None:
    check_bucket(Absent(True), Where(False))


@pytest.mark.parametrize(
    ("is_local", "fix"),
    [
        (False, "create it: aws s3 mb s3://lab"),
        (True, "create it: python main.py local upload FOLDER s3://lab"),
    ],
)
def test_a_bucket_that_is_not_there_says_how_to_make_it(is_local: bool, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        check_bucket(Absent(False), Where(is_local))
    assert caught.value.problems == (Problem("the bucket 'lab' does not exist", "here", fix),)


def missing(pipeline: Pipeline, *there: str) -> list[Problem]:
    return list(missing_inputs(pipeline, SHEET, LAYOUT, Inventory(dict.fromkeys(there, HERE))))


def test_missing_inputs_are_counted_and_the_first_ten_are_named(tmp_path: Path) -> None:
    [problem] = missing(toy(tmp_path), "input/s0.txt")
    names = ", ".join(f"s{number}.txt" for number in range(1, 11))
    assert problem == Problem(
        "step 'a' needs 12 objects like input/{sample}.txt, and 11 are not there",
        f"s3://lab/input/: {names} and 1 more",
        "upload them, or correct the sample list, --input-prefix or --reference",
    )


def test_ten_missing_inputs_are_all_named(tmp_path: Path) -> None:
    [problem] = missing(toy(tmp_path), "input/s0.txt", "input/s1.txt")
    assert problem.where.endswith("s11.txt")
    assert problem.where.startswith("s3://lab/input/: s2.txt, s3.txt")


def test_inputs_that_are_all_there_are_no_problem(tmp_path: Path) -> None:
    assert not missing(toy(tmp_path), *(f"input/s{number}.txt" for number in range(12)))


def test_one_object_for_all_samples_is_counted_once() -> None:
    [problem] = missing(Pipeline("toy", [Step("s", "s", inputs=["reference/genes.gtf"])]))
    assert problem.what == "step 's' needs 1 objects like reference/genes.gtf, and 1 are not there"
    assert problem.where == "s3://lab/reference/hg38/: genes.gtf"


def test_each_template_is_a_problem_of_its_own_and_optional_ones_are_none() -> None:
    step = Step("s", "s", inputs=["input/{sample}.a", "input/{sample}.b", optional("input/{sample}.c")])
    other = Step("t", "t", inputs=["input/{sample}.a"])
    found = missing(Pipeline("toy", [step, other]))
    assert [problem.what.split(",")[0] for problem in found] == [
        "step 's' needs 12 objects like input/{sample}.a",
        "step 's' needs 12 objects like input/{sample}.b",
        "step 't' needs 12 objects like input/{sample}.a",
    ]


READS = Step("s", "s", inputs=["input/{r1}", optional("input/{r2}"), optional("input/{sample}.txt")])


def missing_of(*rows: tuple[str, str, str], there: tuple[str, ...]) -> list[Problem]:
    """What a step that reads two columns misses, the second one optional."""
    sheet = SampleSheet(("sample", "r1", "r2"), rows)
    inventory = Inventory(dict.fromkeys((f"input/{name}" for name in there), HERE))
    return list(missing_inputs(Pipeline("toy", [READS]), sheet, LAYOUT, inventory))


def test_an_optional_input_whose_cell_names_an_object_that_is_absent_is_missing() -> None:
    [problem] = missing_of(
        ("x", "x1", "x2"), ("y", "y1", ""), ("z", "z1", "z2"), there=("x1", "y1", "z1", "z2")
    )
    assert problem == Problem(
        "step 's' needs 2 objects like input/{r2}, and 1 are not there",
        "s3://lab/input/: x2",
        "upload them, or correct the sample list, --input-prefix or --reference, "
        "or empty the cells of samples that have none",
    )


def test_an_empty_cell_of_an_optional_input_means_none() -> None:
    assert not missing_of(("x", "x1", ""), ("y", "y1", ""), there=("x1", "y1"))


def test_an_empty_cell_of_a_required_input_is_a_problem_of_its_own() -> None:
    [empty, absent] = missing_of(("x", "", ""), ("y", "y1", ""), ("z", "z1", ""), there=("y1",))
    assert empty == Problem(
        "sample 'x' names no r1: its cell is empty",
        "step 's', input 'input/{r1}'",
        "fill the column 'r1' of the sample sheet, or, if a sample may have none, declare optional('input/{r1}')",
    )
    assert absent.what == "step 's' needs 2 objects like input/{r1}, and 1 are not there"
    assert absent.where == "s3://lab/input/: z1"


def test_the_first_ten_samples_with_an_empty_cell_are_named() -> None:
    [problem] = missing_of(*((f"s{number}", "", "") for number in range(12)), there=())
    names = ", ".join(f"'s{number}'" for number in range(10))
    assert problem.what == f"samples {names} and 2 more name no r1: their cells are empty"


def test_a_queue_that_there_is_not_is_told() -> None:
    assert no_queue("q") == Problem(
        "there is no job queue 'q'", "--queue", "give the name of a queue of this account and region"
    )


@pytest.mark.parametrize(
    ("change", "how"),
    [({"state": "DISABLED"}, "DISABLED and VALID"), ({"status": "INVALID"}, "ENABLED and INVALID")],
)
def test_a_queue_that_takes_no_jobs_is_a_problem(tmp_path: Path, change: dict[str, str], how: str) -> None:
    [problem] = queue_problems(toy(tmp_path), QUEUE | change, MACHINES, None)
    assert problem == Problem(
        f"the queue takes no jobs: it is {how}",
        "job queue 'q'",
        "enable it, or see its compute environments",
    )


def test_a_step_of_more_vcpus_than_the_queue_has_is_a_problem(tmp_path: Path) -> None:
    [problem] = queue_problems(toy(tmp_path, vcpus=3), QUEUE, MACHINES, None)
    assert problem == Problem(
        "step 'b' asks for 3 vCPUs, and the queue's machines have 2",
        "job queue 'q'",
        "let the step ask for less, or name a queue with larger machines",
    )
    assert not list(queue_problems(toy(tmp_path, vcpus=2), QUEUE, MACHINES, None))


@pytest.mark.parametrize("environments", [[], [{}], [{"computeResources": {}}]])
def test_a_queue_without_machines_fits_no_step(tmp_path: Path, environments: list[Any]) -> None:
    problems = list(queue_problems(toy(tmp_path), QUEUE, environments, None))
    assert len(problems) == 4
    assert problems[0].what == "step 'index' asks for 1 vCPUs, and the queue's machines have 0"


def test_a_step_of_more_memory_than_the_largest_machine_has_is_a_problem(tmp_path: Path) -> None:
    [problem] = queue_problems(toy(tmp_path, memory_mib=4097), QUEUE, MACHINES, 4096)
    assert problem == Problem(
        "step 'b' asks for 4097 MiB, and the queue's largest machine has 4096",
        "job queue 'q'",
        "let the step ask for less, or name a queue with larger machines",
    )
    assert not list(queue_problems(toy(tmp_path, memory_mib=4096), QUEUE, MACHINES, 4096))


def test_memory_of_machines_that_nobody_knows_is_not_looked_at(tmp_path: Path) -> None:
    assert not list(queue_problems(toy(tmp_path, memory_mib=10**6), QUEUE, MACHINES, None))


def test_all_that_speaks_against_a_queue_is_told(tmp_path: Path) -> None:
    pipeline = toy(tmp_path, vcpus=3, memory_mib=5000)
    assert len(list(queue_problems(pipeline, QUEUE | {"state": "DISABLED"}, MACHINES, 4096))) == 3


MOUNTS = Pipeline("toy", [Step("plain", "s"), Step("m", "s", image="tool", mounts=["input", "output"])])


def test_mounts_where_jobs_are_processes_of_this_machine_are_a_problem() -> None:
    [problem] = mount_problems(MOUNTS, {"tool", "base"})
    assert problem == Problem(
        "step 'm' mounts input, output, and nothing mounts here: its jobs run as processes of this machine, "
        "not in containers",
        "--queue local",
        "build its image (python main.py images build tool) and start the endpoint with --runner auto, "
        "or declare inputs=[…] and outputs=[…] in place of mounts",
    )


def test_mounts_in_containers_are_no_problem() -> None:
    assert not list(mount_problems(MOUNTS, {"base"}))
