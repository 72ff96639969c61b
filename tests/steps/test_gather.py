"""gather: one table of every sample's fusions."""

import json

from tests.steps.conftest import Children, job
from tests.steps.hostile import NAMES

GATHER = job("gather", scope="run", after={"pizzly": "sample"}, outputs=["fusions.tsv"])
TABLE = "results/fusion/demo/gather/c0ffee/fusions.tsv"


def genes(first: str, second: str) -> bytes:
    """pizzly's JSON of one fusion."""
    pair = {
        "fasta_record": "A_0:10_B_20:30",
        "transcriptA": {"id": "A.1", "startPos": 0, "endPos": 10},
        "transcriptB": {"id": "B.1", "startPos": 20, "endPos": 30},
        "support": 3,
    }
    gene = {
        "geneA": {"id": "1", "name": first},
        "geneB": {"id": "2", "name": second},
        "paircount": 2,
        "splitcount": 1,
        "transcripts": [pair],
    }
    return json.dumps({"genes": [gene]}).encode()


def test_a_fusion_is_a_line_sorted_by_sample(children: Children) -> None:
    children.sheet = [["sample"], ["b"], ["a"], ["c"]]
    children.publish("pizzly", {"fusions.json": genes("X", "Y")}, sample="b")
    children.publish("pizzly", {"fusions.json": genes("V", "W")}, sample="a")
    children.publish("pizzly", {"fusions.json": b'{"genes": []}'}, sample="c")
    done = children.run(GATHER)
    assert done.exit_code == 0, done.stderr
    assert children.bucket.get(TABLE).decode().splitlines() == [
        "sample\tgeneA\tgeneB\ttranscripts\tbreakpoint\tsplit_count\tpair_count",
        "a\tV\tW\tA.1-B.1\t10-20\t1\t2",
        "b\tX\tY\tA.1-B.1\t10-20\t1\t2",
    ]
    assert set(children.marker("gather", "c0ffee")["inputs"]) == {
        f"s3://lab/results/fusion/demo/pizzly/{sample}/fusions.json" for sample in "abc"
    }


def test_hostile_names_are_gathered(children: Children) -> None:
    children.sheet = [["sample"], *([name] for name in NAMES)]
    for name in NAMES:
        children.publish("pizzly", {"fusions.json": genes("X", "Y")}, sample=name)
    assert children.run(GATHER).exit_code == 0
    lines = children.bucket.get(TABLE).decode().splitlines()[1:]
    assert sorted(line.split("\t")[0] for line in lines) == sorted(NAMES)


def test_samples_without_fusions_json_are_named(children: Children) -> None:
    children.sheet = [["sample"], ["s1"], ["s2"]]
    children.publish("pizzly", {"fusions.json": genes("X", "Y")}, sample="s1")
    children.publish("pizzly", {"fusions.fasta": b""}, sample="s2")
    assert children.run(GATHER).exit_code == 65
    assert children.failure("gather", "-")["reason"] == "1 of 2 samples have no pizzly/fusions.json: s2"


def test_a_json_that_was_cut_is_named(children: Children) -> None:
    children.publish("pizzly", {"fusions.json": genes("X", "Y")[:-9]})
    assert children.run(GATHER).exit_code == 65
    assert "pizzly/s1/fusions.json is not pizzly's whole JSON" in children.failure("gather", "-")["reason"]


def test_many_samples_are_gathered_again_when_one_of_them_changed(children: Children) -> None:
    samples = [f"s{number:03}" for number in range(100)]
    children.sheet = [["sample"], *([sample] for sample in samples)]
    for sample in samples:
        children.publish("pizzly", {"fusions.json": b'{"genes": []}'}, sample=sample)
    assert children.run(GATHER).exit_code == 0
    assert children.run(GATHER).stdout.startswith("unchanged")
    children.publish("pizzly", {"fusions.json": genes("X", "Y")}, sample="s042")
    assert children.run(GATHER).stdout == ""
    assert children.bucket.get(TABLE).count(b"\n") == 2
