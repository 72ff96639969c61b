"""What follows from a pipeline as it is written."""

import pytest

from pipeline import Pipeline, Step, optional
from pipeline.model.pipeline import Per
from steps.library.contract import Input


def test_inputs_are_declared_as_text_or_as_optional() -> None:
    step = Step("s", "s.sh", inputs=["input/a", optional("input/b")])
    assert step.declared == (Input("input/a"), Input("input/b", is_optional=True))


def test_the_columns_of_a_step_are_those_declared_and_those_that_inputs_name_each_once() -> None:
    step = Step("s", "s.sh", columns=["k", "j"], inputs=["input/{sample}/{r1}", optional("input/{k}_{r2}")])
    assert step.used_columns == ("k", "j", "r1", "r2")


def test_outside_inputs_come_from_the_input_place_and_from_the_reference_where_no_step_makes_them() -> None:
    index = Step("index", "s", per="reference", inputs=["reference/genes.fa"], outputs=["genes.idx", "x"])
    a = Step("a", "s", after=[index], inputs=["reference/genes.idx", "reference/genes.gtf"], outputs=["y"])
    b = Step("b", "s", after=[a], inputs=["a/y", "input/{sample}.txt", "reference/y"], outputs=["z"])
    found = Pipeline("toy", [index, a, b]).outside_inputs()
    assert [(step.name, one.path) for step, one in found] == [
        ("index", "reference/genes.fa"),
        ("a", "reference/genes.gtf"),
        ("b", "input/{sample}.txt"),
        ("b", "reference/y"),
    ]


def test_a_step_is_found_by_its_name() -> None:
    one, other = Step("one", "s"), Step("other", "s")
    assert Pipeline("toy", [one, other]).step("other") is other
    with pytest.raises(KeyError):
        Pipeline("toy", [one]).step("none")


def test_two_steps_that_are_written_alike_are_two_steps() -> None:
    assert Step("s", "s.sh") != Step("s", "s.sh")


def test_a_step_runs_per_sample_in_the_base_image_unless_it_says_otherwise() -> None:
    step = Step("s", "s.sh")
    assert (step.per, step.image) == (Per.SAMPLE, "base")
    assert (step.vcpus, step.memory_mib, step.timeout_s, step.retries) == (1, 2048, 21600, 0)
