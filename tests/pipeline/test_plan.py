"""The plan: what runs again, and the reason given."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.code import fingerprint
from pipeline.model import Per, Pipeline
from pipeline.plan import Inventory, Plan, make_plan
from pipeline.sheet import SampleSheet
from tests.pipeline.examples import LAYOUT, toy

SHEET = SampleSheet(("sample",), (("s1",), ("s2",), ("s3",)))


class Bucket:
    """What a finished run leaves, to be tampered with."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.etags = {f"input/{name}.txt": f"in-{name}" for name in SHEET.samples}
        self.markers: dict[str, dict[str, Any]] = {}
        for step in pipeline.steps:
            for sample in SHEET.samples if step.per == Per.SAMPLE else [None]:
                self._finish(step.name, sample)

    def _finish(self, name: str, sample: str | None) -> None:
        step = self.pipeline.step(name)
        place = LAYOUT.place(step, SHEET.digest(), sample)
        marker = LAYOUT.marker(step, SHEET.digest(), sample)
        inputs = {
            "a": [f"input/{sample}.txt"],
            "b": [f"{LAYOUT.results}/a/{sample}/a.txt", "reference/hg38/genes.idx"],
            "all": [f"{LAYOUT.results}/b/{other}/b.txt" for other in SHEET.samples],
        }.get(name, [])
        files = {output: {"etag": f"{name}-{sample}"} for output in step.outputs}
        self.etags |= {f"{place}/{output}": file["etag"] for output, file in files.items()}
        self.etags[marker] = "m"
        self.markers[marker] = {
            "fingerprint": fingerprint(self.pipeline, step),
            "columns": {"sample": sample} if sample else {},
            "inputs": {LAYOUT.url(key): self.etags[key] for key in inputs},
            "files": files,
        }

    def plan(self, pipeline: Pipeline | None = None) -> Plan:
        pipeline = pipeline or self.pipeline
        return make_plan(
            pipeline,
            SHEET,
            layout=LAYOUT,
            inventory=Inventory(self.etags, self.markers),
            fingerprints={step.name: fingerprint(pipeline, step) for step in pipeline.steps},
        )


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(toy(tmp_path))


def todo(plan: Plan) -> dict[str, dict[str | None, str]]:
    return {share.step.name: share.todo for share in plan.steps if share.todo}


def test_a_finished_run_has_nothing_to_do(bucket: Bucket) -> None:
    assert bucket.plan().is_empty


def test_an_empty_bucket_has_everything_to_do(tmp_path: Path) -> None:
    bucket = Bucket(toy(tmp_path))
    bucket.etags, bucket.markers = {}, {}
    plan = bucket.plan()
    assert {name: len(reasons) for name, reasons in todo(plan).items()} == {
        "index": 1,
        "a": 3,
        "b": 3,
        "all": 1,
    }
    assert plan.work == SHEET


def test_a_changed_input_runs_its_sample_and_what_comes_after(bucket: Bucket) -> None:
    bucket.etags["input/s2.txt"] = "other"
    plan = bucket.plan()
    assert todo(plan) == {
        "a": {"s2": "input/s2.txt changed"},
        "b": {"s2": "a runs again"},
        "all": {None: "b runs again"},
    }
    assert plan.work.samples == ["s2"]


def test_a_deleted_output_is_made_again(bucket: Bucket) -> None:
    del bucket.etags[f"{LAYOUT.results}/b/s3/b.txt"]
    assert list(todo(bucket.plan())["b"]) == ["s3"]
    assert "a" not in todo(bucket.plan())


def test_a_changed_script_runs_its_step_for_every_sample(bucket: Bucket) -> None:
    (bucket.pipeline.folder / "b.sh").write_text("#!/bin/sh\necho other\n")
    plan = bucket.plan()
    assert set(todo(plan)["b"].values()) == {"its script, image or parameters changed"}
    assert "a" not in todo(plan)


def test_a_changed_parameter_runs_its_step_again(bucket: Bucket) -> None:
    plan = bucket.plan(toy(bucket.pipeline.folder, parameters={"K": "31"}))
    assert set(todo(plan)) == {"b", "all"}


def test_a_reference_that_the_user_brought_is_not_built(bucket: Bucket) -> None:
    marker = LAYOUT.marker(bucket.pipeline.step("index"), "", None)
    del bucket.etags[marker]
    assert bucket.plan().is_empty


def test_a_missing_reference_is_built_and_every_sample_looks_again(bucket: Bucket) -> None:
    marker = LAYOUT.marker(bucket.pipeline.step("index"), "", None)
    del bucket.etags[marker], bucket.etags["reference/hg38/genes.idx"]
    plan = bucket.plan()
    assert todo(plan)["index"] == {None: "new"}
    assert list(todo(plan)["b"]) == SHEET.samples
    assert "a" not in todo(plan)
