"""A child's inputs: found with few requests, by their names on disk, and only as far as a marker vouches for them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

import pytest

from fetch_and_run import s3
from steps.library.contract import Found, Input, Job, MarkerName, due, made
from steps.library.failure import DATA_ERROR, USAGE, Failure
from steps.library.pin import pin
from steps.library.sheet import Row
from tests.steps.conftest import RESULTS, URL, job
from tests.steps.hostile import NAMES
from tests.steps.objects import Objects

ROW = {"sample": "s1", "r1": "lane 2/one.fq"}


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    objects = Objects()
    for name in ("read", "describe", "listing"):
        monkeypatch.setattr(s3, name, getattr(objects, name))
    return objects


def publish(
    objects: Objects, step: str, *names: str, below: str = "s1", fingerprint: str = "f1", version: str = "1"
) -> str:
    """The step left these files and a marker below its folder; returns the marker's URL."""
    found = {}
    for name in names:
        url = f"{URL}/{RESULTS}/{step}/{below}/{name}"
        objects.content[url] = name.encode()
        found[name] = Found(*objects.stored(url)[1:])
    told = {name: one._asdict() for name, one in found.items()}
    marker = MarkerName(None, due(fingerprint, {}, {"x": Found(version, 1)}), made(found))
    url = f"{URL}/{RESULTS}/{step}/{below}/{marker}"
    objects.content[url] = json.dumps({"files": told}).encode()
    return url


def names(job: Job, *rows: Row) -> dict[str, str]:
    """The pinned URLs by name on disk, without the bucket."""
    return {name: stored.url.removeprefix(f"{URL}/") for name, stored in pin(job, rows).items()}


def refused(job: Job, *rows: Row, exit_code: int = DATA_ERROR) -> str:
    with pytest.raises(Failure) as caught:
        pin(job, rows)
    assert caught.value.exit_code == exit_code
    return caught.value.reason


def put(objects: Objects, *keys: str) -> None:
    for key in keys:
        objects.content[f"{URL}/{key}"] = key.encode()


def test_an_input_goes_by_its_template_with_its_etag_and_size(objects: Objects) -> None:
    put(objects, "input/s1.bam", "input/lane 2/one.fq", "reference/demo/genes.gtf")
    told = job("upper", inputs=["input/{sample}.bam", "input/{r1}", "reference/genes.gtf"])
    assert names(told, ROW) == {
        "input/sample.bam": "input/s1.bam",
        "input/r1": "input/lane 2/one.fq",
        "reference/genes.gtf": "reference/demo/genes.gtf",
    }
    pinned = pin(told, [ROW])["input/sample.bam"]
    assert pinned == objects.stored(f"{URL}/input/s1.bam")


def test_up_to_a_thousand_inputs_cost_a_request_each_and_more_of_one_folder_a_listing(
    objects: Objects,
) -> None:
    paths = [f"reference/{number}.txt" for number in range(1001)]
    put(objects, *(path.replace("reference", "reference/demo") for path in paths))
    assert len(pin(job("upper", inputs=paths[:1000]), [ROW])) == 1000
    assert {request.split()[0] for request in objects.requests} == {"HEAD"}
    assert len(objects.requests) == 1000
    objects.requests.clear()
    assert len(pin(job("upper", inputs=paths), [ROW])) == 1001
    assert objects.requests == [f"LIST {URL}/reference/demo"]


def test_inputs_are_looked_up_side_by_side(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"reference/{number}.txt" for number in range(4)]
    put(objects, *(path.replace("reference", "reference/demo") for path in paths))
    together = threading.Barrier(4, timeout=10)

    def describe(url: str) -> s3.Stored | None:
        together.wait()
        return objects.describe(url)

    monkeypatch.setattr(s3, "describe", describe)
    assert set(pin(job("upper", inputs=paths), [ROW])) == set(paths)


def test_a_step_before_costs_one_listing(objects: Objects) -> None:
    publish(objects, "picard", "r1.fq.gz", "pairs.json")
    assert names(job("kallisto", after={"picard": "sample"}), ROW) == {
        "picard/r1.fq.gz": f"{RESULTS}/picard/s1/r1.fq.gz",
        "picard/pairs.json": f"{RESULTS}/picard/s1/pairs.json",
    }
    assert objects.requests == [f"LIST {URL}/{RESULTS}/picard/s1"]


def test_of_a_step_whose_files_are_declared_just_those_are_inputs(objects: Objects) -> None:
    publish(objects, "picard", "r1.fq.gz", "pairs.json")
    told = job("kallisto", after={"picard": "sample"}, inputs=["picard/pairs.json"])
    assert set(names(told, ROW)) == {"picard/pairs.json"}


def test_a_file_that_no_marker_vouches_for_is_no_input(objects: Objects) -> None:
    publish(objects, "picard", "r1.fq.gz")
    put(objects, f"{RESULTS}/picard/s1/leftover")
    assert set(names(job("kallisto", after={"picard": "sample"}), ROW)) == {"picard/r1.fq.gz"}
    told = job("kallisto", after={"picard": "sample"}, inputs=["picard/leftover"])
    assert refused(told, ROW) == f"step picard did not publish leftover: {URL}/{RESULTS}/picard/s1/leftover"


@pytest.mark.parametrize("damage", ["gone", "replaced", "retired", "another version", "never"])
def test_a_step_without_a_whole_result_is_named(objects: Objects, damage: str) -> None:
    if damage != "never":
        fingerprint = "f2" if damage == "another version" else "f1"
        marker = publish(objects, "picard", "r1.fq.gz", "r2.fq.gz", fingerprint=fingerprint)
    url = f"{URL}/{RESULTS}/picard/s1/r1.fq.gz"
    if damage == "gone":
        del objects.content[url]
    if damage == "replaced":
        objects.content[url] = b"cut"
    if damage == "retired":
        objects.content[marker] = b""
    told = job("kallisto", after={"picard": "sample"})
    assert refused(told, ROW).startswith("picard has no whole result of this sample: run the pipeline again")


def test_two_results_of_the_same_files_are_one(objects: Objects) -> None:
    publish(objects, "picard", "r1.fq.gz", version="1")
    publish(objects, "picard", "r1.fq.gz", version="2")
    assert set(names(job("kallisto", after={"picard": "sample"}), ROW)) == {"picard/r1.fq.gz"}


def test_two_results_of_different_files_are_refused_with_the_names_of_their_markers(objects: Objects) -> None:
    first = publish(objects, "picard", "r1.fq.gz", version="1")
    second = publish(objects, "picard", "r2.fq.gz", version="2")
    told = refused(job("kallisto", after={"picard": "sample"}), ROW)
    assert "remove the wrong marker of" in told
    assert first in told
    assert second in told


def test_what_is_missing_is_told_all_at_once(objects: Objects) -> None:
    maybe = Input("input/{sample}.vcf", is_optional=True)
    told = job("upper", inputs=["input/{sample}.bam", "reference/genes.gtf", maybe])
    assert refused(told, ROW) == (
        f"input/s1.bam does not exist: {URL}/input/s1.bam; "
        f"reference/genes.gtf does not exist: {URL}/reference/demo/genes.gtf"
    )


def test_what_is_optional_may_be_absent_or_have_an_empty_cell(objects: Objects) -> None:
    inputs = [Input(path, is_optional=True) for path in ("input/{r1}", "reference/a", "picard/b")]
    publish(objects, "picard", "r1.fq.gz")
    assert names(job("upper", inputs=inputs, after={"picard": "sample"}), ROW | {"r1": ""}) == {}


@pytest.mark.parametrize("cell", ["two.fq", ".", "a//b"])
def test_what_is_optional_must_be_there_where_its_cell_is_filled(objects: Objects, cell: str) -> None:
    told = job("upper", inputs=[Input("input/{r2}", is_optional=True)])
    assert refused(told, ROW | {"r2": cell}) == (
        f"input/{cell} does not exist: {URL}/input/{cell} (in an optional column, only an empty cell means none)"
    )


def test_what_is_optional_by_the_samples_name_alone_may_be_absent(objects: Objects) -> None:
    assert names(job("upper", inputs=[Input("input/{sample}.vcf", is_optional=True)]), ROW) == {}


def test_what_is_optional_by_two_columns_may_be_absent_where_one_is_empty(objects: Objects) -> None:
    told = job("upper", inputs=[Input("input/{lane}/{r2}", is_optional=True)])
    assert names(told, ROW | {"lane": "7", "r2": ""}) == {}


def test_in_the_whole_run_the_samples_whose_filled_cell_names_nothing_are_told(objects: Objects) -> None:
    put(objects, "input/a")
    told = job("table", scope="run", inputs=[Input("input/{r2}", is_optional=True)])
    sheet = [{"sample": f"s{cell}", "r2": cell} for cell in ("a", "b", "")]
    assert refused(told, *sheet).startswith("1 of 3 samples have no input/{r2}: sb (")


@pytest.mark.parametrize("cell", ["", ".", "..", "../up", "a//b", "/a"])
def test_a_cell_that_is_no_objects_name_is_an_input_that_does_not_exist(objects: Objects, cell: str) -> None:
    assert "does not exist" in refused(job("upper", inputs=["input/{r1}"]), ROW | {"r1": cell})


def test_an_input_of_a_step_that_is_not_before_is_refused(objects: Objects) -> None:
    told = refused(job("upper", inputs=["picard/r1.fq.gz"]), ROW, exit_code=USAGE)
    assert told.endswith("name picard in after=[…]")


def test_two_inputs_that_would_be_one_file_are_refused(objects: Objects) -> None:
    put(objects, "input/s1.bam", "input/sample.bam")
    told = refused(job("upper", inputs=["input/{sample}.bam", "input/sample.bam"]), ROW, exit_code=USAGE)
    assert told.startswith("'input/{sample}.bam' and 'input/sample.bam' would both be input/sample.bam")


def test_a_step_per_sample_finds_its_own_file_of_a_step_of_the_whole_run(objects: Objects) -> None:
    publish(objects, "demux", "s1.fq.gz", "s2.fq.gz", below="c0ffee")
    told = job("trim", after={"demux": "run"}, inputs=["demux/{sample}.fq.gz"])
    assert names(told, ROW) == {"demux/sample.fq.gz": f"{RESULTS}/demux/c0ffee/s1.fq.gz"}


def rows(*samples: str) -> list[Row]:
    return [{"sample": sample} for sample in samples]


def test_the_whole_run_finds_every_samples_results_by_one_listing_a_step(objects: Objects) -> None:
    for name in NAMES:
        publish(objects, "count", "counts.tsv", "log.txt", below=name)
        put(objects, f"input/{name}.txt")
    extra = [f"more{number}" for number in range(16)]
    for name in extra:
        publish(objects, "count", "counts.tsv", below=name)
        put(objects, f"input/{name}.txt")
    told = job(
        "table", scope="run", after={"count": "sample"}, inputs=["count/counts.tsv", "input/{sample}.txt"]
    )
    expected: Mapping[str, str] = {
        f"count/{name}/counts.tsv": f"{RESULTS}/count/{name}/counts.tsv" for name in [*NAMES, *extra]
    } | {f"input/{name}/sample.txt": f"input/{name}.txt" for name in [*NAMES, *extra]}
    assert names(told, *rows(*NAMES, *extra)) == expected
    heads = [f"HEAD {URL}/input/{name}.txt" for name in [*NAMES, *extra]]
    assert sorted(objects.requests) == sorted([f"LIST {URL}/{RESULTS}/count", *heads])


def test_the_whole_run_depends_on_all_that_its_samples_have_of_a_step_that_it_declares_nothing_of(
    objects: Objects,
) -> None:
    publish(objects, "count", "counts.tsv", "log.txt", below="s1")
    publish(objects, "count", "counts.tsv", below="s2")
    publish(objects, "count", "counts.tsv", below="not of this run")
    told = job("table", scope="run", after={"count": "sample"})
    assert set(names(told, *rows("s1", "s2"))) == {
        "count/s1/counts.tsv",
        "count/s1/log.txt",
        "count/s2/counts.tsv",
    }


def test_samples_without_a_whole_result_are_counted_and_the_first_are_named(objects: Objects) -> None:
    publish(objects, "count", "counts.tsv", below="s7")
    told = job("table", scope="run", after={"count": "sample"})
    samples = rows(*(f"s{number}" for number in range(8)))
    assert refused(told, *samples).startswith(
        "7 of 8 samples have no whole result of count: s0, s1, s2, s3, s4, …"
    )


def test_samples_without_a_declared_file_are_counted_too(objects: Objects) -> None:
    publish(objects, "count", "counts.tsv", below="s1")
    publish(objects, "count", "log.txt", below="s2")
    told = job(
        "table", scope="run", after={"count": "sample"}, inputs=["count/counts.tsv", "input/{sample}.txt"]
    )
    assert refused(told, *rows("s1", "s2")) == (
        "1 of 2 samples have no count/counts.tsv: s2; 2 of 2 samples have no input/{sample}.txt: s1, s2"
    )
