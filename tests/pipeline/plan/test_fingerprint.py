"""What a step's results depend on changes its fingerprint, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import Pipeline, Step, optional
from pipeline.plan import fingerprint as module
from pipeline.plan.code import StepCode
from pipeline.plan.fingerprint import fingerprint
from pipeline.plan.scripts import Script
from tests.pipeline.examples import toy, versions_of

CODE = StepCode(("s.sh",), Script("s.sh"), {"s.sh": "0" * 64})


def of(image: str = "base@sha256:1", **changes: Any) -> str:
    return fingerprint(Step(**{"name": "s", "script": "s.sh", **changes}), CODE, image)


@pytest.mark.parametrize(
    "changes",
    [
        {"script": "other.sh"},
        {"parameters": {"K": "31"}},
        {"per": "run"},
        {"columns": ["k"]},
        {"inputs": ["input/a"]},
        {"outputs": ["a"]},
    ],
)
def test_what_a_result_depends_on_counts(changes: dict[str, Any]) -> None:
    assert of(**changes) != of()


def test_that_an_input_is_optional_counts() -> None:
    assert of(inputs=[optional("input/a")]) != of(inputs=["input/a"])


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "t"},
        {"vcpus": 8},
        {"memory_mib": 9000},
        {"timeout_s": 60},
        {"retries": 3},
    ],
)
def test_how_much_of_a_machine_it_gets_does_not_count(changes: dict[str, Any]) -> None:
    assert of(**changes) == of()


def test_the_content_of_the_image_counts() -> None:
    assert of("base@sha256:1") != of("base@sha256:2")


def test_the_same_image_under_another_name_is_the_same(tmp_path: Path) -> None:
    contents = {"base": "sha256:1", "base:2": "sha256:1"}
    one = versions_of(toy(tmp_path), images=contents)
    assert versions_of(toy(tmp_path, image="base:2"), images=contents) == one


def test_each_file_counts_by_its_name_and_its_digest() -> None:
    step = Step("s", "s.sh")
    prints = {
        fingerprint(step, StepCode((), Script("s.sh"), digests), "base")
        for digests in ({"s.sh": "0"}, {"s.sh": "1"}, {"t.sh": "0"}, {"s.sh": "0", "t.sh": "0"})
    }
    assert len(prints) == 4


def test_the_library_counts_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of()
    monkeypatch.setattr(module, "LIBRARY", 99)
    assert of() != before


def test_the_order_of_parameters_does_not_count() -> None:
    assert of(parameters={"A": "1", "B": "2"}) == of(parameters={"B": "2", "A": "1"})


def test_a_fingerprint_is_the_same_wherever_the_pipeline_lies(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (versions_of(toy(folder)) for folder in folders)
    assert one == two


def test_a_fingerprint_is_what_it_was_in_earlier_versions() -> None:
    """Another value would make every result of every user due again: raise LIBRARY only when that is meant."""
    step = Step(
        "s", "s.sh", parameters={"K": "é"}, columns=["k"], inputs=["input/{sample}.bam"], outputs=["a"]
    )
    assert fingerprint(step, CODE, "base@sha256:1")[:16] == "624bbafe64796804"


def test_a_changed_script_is_another_version(tmp_path: Path) -> None:
    pipeline = toy(tmp_path)
    before = versions_of(pipeline)
    (tmp_path / "b.sh").write_text("#!/bin/sh\necho other\n")
    after = versions_of(Pipeline("toy", pipeline.steps, folder=tmp_path))
    assert {name for name in before if before[name] != after[name]} == {"b"}
