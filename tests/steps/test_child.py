"""What a Python step may fetch and publish, and what it is told when it may not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fetch_and_run import s3
from steps import Child
from steps.library.contract import Input, MarkerName, due, made
from steps.library.sheet import Sheet
from tests.steps.conftest import RESULTS, URL, Children, Ended, job
from tests.steps.objects import Objects

Run = Callable[..., Ended]


@pytest.fixture
def run(children: Children, tmp_path: Path) -> Run:
    """Runs the body of a function as the step `step`."""

    def run(body: str, **told: Any) -> Ended:
        script = tmp_path / "step.py"
        lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        imports = "import os\nfrom pathlib import Path\nfrom fetch_and_run import s3\nfrom steps import Child, main\n"
        script.write_text(f"{imports}\ndef step(child: Child) -> None:\n{lines}\n\nmain(step)\n")
        return children.run(job("step", **told), script=script)

    return run


def test_an_input_is_on_disk_under_its_own_path(children: Children, run: Run) -> None:
    children.bucket.put("input/s1.txt", "hello")
    children.bucket.put("reference/demo/genes.gtf", "genes")
    children.publish("picard", {"plots/r1.txt": b"reads"})
    body = """
    assert child.fetch("input", "{sample}.txt") == Path("input/sample.txt")
    assert child.reference("genes.gtf").read_text() == "genes"
    assert child.fetch("picard", "plots/r1.txt") == Path("picard/plots/r1.txt")
    assert child.read_tail("input/{sample}.txt", 2) == b"lo"
    assert child.read_tail("input/{sample}.txt", 20) == b"hello"
    assert child.name("input/{sample}.txt") == "input/s1.txt"
    """
    told = {"inputs": ["input/{sample}.txt", "reference/genes.gtf"], "after": {"picard": "sample"}}
    done = run(body, **told)
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(
    "fetch",
    [
        'child.fetch("{0}")',
        'child.fetch_all("{0}")',
        'child.read_tail("{0}", 1)',
    ],
)
@pytest.mark.parametrize("path", ["reference/genes.gtf", "input/{sample}.bai", "picard/r1.fq.gz"])
def test_what_is_neither_declared_nor_of_a_step_before_is_64(
    children: Children, run: Run, fetch: str, path: str
) -> None:
    children.bucket.put("reference/demo/genes.gtf", "genes")
    children.bucket.put("input/s1.bam", "bam")
    assert run(fetch.format(path), inputs=["input/{sample}.bam"]).exit_code == 64
    assert children.failure("step")["reason"] == (
        f"step 'step' fetches '{path}', which it does not declare: "
        "add it to inputs=[…] (or name the step in after=[…])"
    )


def test_a_file_that_is_not_declared_of_a_step_whose_other_files_are_is_64(
    children: Children, run: Run
) -> None:
    children.publish("picard", {"r1": b"1", "r2": b"2"})
    told = {"after": {"picard": "sample"}, "inputs": ["picard/r1"]}
    assert run('child.fetch("picard/r2")', **told).exit_code == 64


def test_a_file_that_a_step_before_did_not_publish_is_65(children: Children, run: Run) -> None:
    children.publish("picard", {"r1": b"1"})
    assert run('child.fetch("picard/r2")', after={"picard": "sample"}).exit_code == 65
    assert children.failure("step")["reason"] == "picard/r2 does not exist"


def test_a_file_that_an_undeclared_step_named_after_the_sample_is_fetched_by_its_template(
    children: Children, run: Run
) -> None:
    children.publish("demux", {"s1.fq": b"mine", "sample.fq": b"not mine"}, sample="c0ffee")
    body = """
    assert child.has("demux", "{sample}.fq")
    assert child.fetch("demux", "{sample}.fq") == Path("demux/sample.fq")
    assert Path("demux/sample.fq").read_text() == "mine"
    """
    done = run(body, after={"demux": "run"})
    assert done.exit_code == 0, done.stderr


def test_an_optional_input_is_asked_for_before_it_is_fetched(children: Children, run: Run) -> None:
    optional = {"inputs": [Input("reference/cache", is_optional=True)]}
    assert run('assert not child.has_reference("cache")', **optional).exit_code == 0
    assert run('child.reference("cache")', fingerprint="f2", **optional).exit_code == 65
    assert children.failure("step")["reason"] == "reference/cache does not exist"
    children.bucket.put("reference/demo/cache", "x")
    assert run('assert child.has_reference("cache"); child.reference("cache")', **optional).exit_code == 0
    assert run('assert not child.has_reference("cache")').exit_code == 0  # not declared, so not an input


CHANGES = {
    "replaced": 's3.write("s3://lab/input/s1.txt", b"bye")',
    "same size": 's3.write("s3://lab/input/s1.txt", b"HELLO")',
    "removed": 'import obstore; obstore.delete(s3._locate("s3://lab/x")[0], "input/s1.txt")',
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "fetch", ['child.fetch("input/{sample}.txt")', 'child.read_tail("input/{sample}.txt", 2)']
)
def test_an_input_that_changes_while_the_child_runs_is_75(
    children: Children, run: Run, change: str, fetch: str
) -> None:
    children.bucket.put("input/s1.txt", "hello")
    done = run(f"{CHANGES[change]}\n{fetch}", inputs=["input/{sample}.txt"])
    assert done.exit_code == 75, done.stderr
    assert children.failure("step")["reason"] == (
        "input/s1.txt was changed while this child was running: run again"
    )
    assert children.markers(f"{RESULTS}/step") == []


def test_a_file_of_a_step_before_that_is_made_again_meanwhile_is_75(children: Children, run: Run) -> None:
    children.publish("picard", {"r1": b"1"})
    body = f's3.write("s3://lab/{RESULTS}/picard/s1/r1", b"2")\nchild.fetch("picard/r1")'
    assert run(body, after={"picard": "sample"}).exit_code == 75


def test_every_samples_file_is_fetched_in_the_sheets_order(children: Children, run: Run) -> None:
    children.sheet = [["sample"], ["b"], ["a c"]]
    for sample in ("b", "a c"):
        children.publish("count", {"counts.tsv": sample.encode(), "log": b""}, sample=sample)
    body = """
    found = child.fetch_all("count/counts.tsv")
    assert found == {name: Path("count", name, "counts.tsv") for name in ("b", "a c")}, found
    assert list(found) == ["b", "a c"]
    assert [file.read_text() for file in found.values()] == ["b", "a c"]
    """
    done = run(body, scope="run", after={"count": "sample"})
    assert done.exit_code == 0, done.stderr


def test_of_an_optional_file_those_samples_are_fetched_that_have_one(children: Children, run: Run) -> None:
    children.sheet = [["sample"], ["s1"], ["s2"]]
    children.publish("count", {"plot.png": b"1"}, sample="s1")
    children.publish("count", {"log": b"1"}, sample="s2")
    told = {
        "scope": "run",
        "after": {"count": "sample"},
        "inputs": [Input("count/plot.png", is_optional=True)],
    }
    assert run('assert list(child.fetch_all("count/plot.png")) == ["s1"]', **told).exit_code == 0


def test_samples_that_lack_a_file_are_named(children: Children, run: Run) -> None:
    children.sheet = [["sample"], ["s1"], ["s2"]]
    children.publish("count", {"a": b"1", "b": b"1"}, sample="s1")
    children.publish("count", {"a": b"1"}, sample="s2")
    assert run('child.fetch_all("count/b")', scope="run", after={"count": "sample"}).exit_code == 65
    assert children.failure("step", "-")["reason"] == "1 of 2 samples have no count/b: s2"


def test_a_column_that_is_not_declared_is_a_failure_that_says_how_to_declare_it(
    children: Children, run: Run
) -> None:
    children.sheet = [["sample", "lane"], ["s1", "7"]]
    assert run('child.columns["lane"]').exit_code == 65
    assert children.failure("step")["reason"] == (
        "the column 'lane' is not declared: give the step columns=['lane']"
    )
    assert run('assert child.columns == {"sample": "s1", "lane": "7"}', columns=("lane",)).exit_code == 0


def test_an_output_below_a_folder_keeps_its_path(children: Children, run: Run) -> None:
    body = 'Path("plots").mkdir()\nPath("plots/a b.png").write_text("x")\nchild.publish("plots/a b.png")'
    assert run(body).exit_code == 0
    assert children.output("step", "plots/a b.png") == b"x"


def test_an_output_that_would_leave_the_folder_is_refused_before_anything_is_uploaded(
    children: Children, run: Run
) -> None:
    assert run('Path("a").write_text("x")\nchild.publish("a", "../up")').exit_code == 64
    assert children.bucket.listing(RESULTS) == []


def test_a_declared_output_that_is_not_published_fails(children: Children, run: Run) -> None:
    assert run("pass", outputs=["a", "b"]).exit_code == 1
    assert children.failure("step")["reason"] == "the step ended without publishing a, b"


def test_until_its_tool_starts_a_child_makes_one_request_for_each_thing_it_must_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = Objects()
    for name in ("read", "describe", "listing"):
        monkeypatch.setattr(s3, name, getattr(objects, name))
    marker = MarkerName(None, due("f1", {}, {}), made({}))
    objects.content = {
        f"{URL}/runs/r1/rows/00000.tsv": b"sample\ns1\n",
        f"{URL}/{RESULTS}/picard/s1/{marker}": b"{}",
        f"{URL}/reference/demo/genes.gtf": b"genes",
    }
    told = job("step", after={"picard": "sample"}, inputs=["reference/genes.gtf"])
    child = Child(told, Sheet.of(told))
    assert child.place.standing(child.due) is None
    assert objects.requests == [
        f"GET {URL}/runs/r1/rows/00000.tsv",
        f"LIST {URL}/{RESULTS}/step/s1",
        f"LIST {URL}/{RESULTS}/picard/s1",
        f"HEAD {URL}/reference/demo/genes.gtf",
    ]
