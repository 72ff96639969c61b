"""The keys of the bucket, as docs/design.md spells them."""

import pytest

from pipeline import Step
from pipeline.model.layout import Layout, RunKeys, code_key, run_of_url, url

LAYOUT = Layout("lab", "fusion", "GRCh38")
SAMPLE, RUN = Step("picard", "s"), Step("gather", "s", per="run")
REFERENCE = Step("index", "s", per="reference")


def test_what_each_kind_of_step_publishes_has_its_place() -> None:
    assert LAYOUT.place(SAMPLE, "", "x") == "results/fusion/GRCh38/picard/x"
    assert LAYOUT.place(RUN, "c0ffee", None) == "results/fusion/GRCh38/gather/c0ffee"
    assert LAYOUT.place(REFERENCE, "", None) == "reference/GRCh38"


def test_a_step_publishes_under_a_prefix_to_which_only_one_per_sample_adds() -> None:
    assert LAYOUT.output(SAMPLE, "c0ffee") == "results/fusion/GRCh38/picard"
    assert LAYOUT.output(RUN, "c0ffee") == "results/fusion/GRCh38/gather/c0ffee"
    assert LAYOUT.output(REFERENCE, "c0ffee") == "reference/GRCh38"


def test_outside_inputs_lie_below_the_input_place_and_the_reference() -> None:
    layout = Layout("lab", "fusion", "GRCh38", input_prefix="raw/batch-2")
    assert layout.source("input/{sample}/r1.fq") == "raw/batch-2/{sample}/r1.fq"
    assert layout.source("reference/genes.gtf") == "reference/GRCh38/genes.gtf"
    assert layout.input_url == "s3://lab/raw/batch-2"


def test_a_results_tree_is_of_one_pipeline_and_one_reference() -> None:
    layout = Layout("lab", "fusion", "GRCh38", results_prefix="mine")
    assert layout.results == "mine/fusion/GRCh38"
    assert layout.tree_record == "mine/fusion/GRCh38/_tree.json"


def test_claims_are_numbered_below_a_digest_of_the_tree() -> None:
    assert LAYOUT.claims == "runs/_open/be971d9e4f9708d5/"
    assert LAYOUT.claim(7) == f"{LAYOUT.claims}00000007.json"
    assert LAYOUT.claims == Layout("lab", "fusion", "GRCh38", input_prefix="other").claims
    others = [
        Layout("lab", "other", "GRCh38"),
        Layout("lab", "fusion", "mm10"),
        Layout("lab", "fusion", "GRCh38", results_prefix="r2"),
    ]
    assert LAYOUT.claims not in [other.claims for other in others]


def test_a_runs_records_lie_below_its_prefix() -> None:
    keys = RunKeys("r1")
    assert keys.prefix == "runs/r1"
    assert keys.run == "runs/r1/run.json"
    assert keys.sheet == "runs/r1/samples.tsv"
    assert keys.rows == "runs/r1/rows"
    assert keys.chunk(7) == "runs/r1/rows/00007.tsv"
    assert keys.job_record("picard") == "runs/r1/jobs/picard.json"
    assert keys.turns == "runs/r1/turns/"
    assert keys.turn(3) == "runs/r1/turns/00003.json"
    assert keys.cancelled == "runs/r1/cancelled.json"
    assert keys.failure("picard", "x") == "runs/r1/failures/picard/x/failure.json"
    assert keys.failed == "runs/r1/failed.txt"
    assert keys.ledger == "runs/r1/ledger.tsv.gz"
    assert keys.summary == "runs/r1/summary.json"


def test_code_is_named_by_its_digest() -> None:
    assert code_key("abc") == "code/abc.zip"
    assert url("lab", "a/b") == LAYOUT.url("a/b") == "s3://lab/a/b"


@pytest.mark.parametrize(
    "text",
    [
        "s3://lab/runs/r1",
        "s3://lab/runs/r1/",
        "s3://lab/runs/r1/run.json",
        "s3://lab/r1",
        "lab/r1",
        "s3://lab//runs/r1",
    ],
)
def test_a_run_is_found_from_any_url_below_it(text: str) -> None:
    assert run_of_url(text) == ("lab", "r1")
