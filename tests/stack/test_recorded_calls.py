"""What a run on this machine really asks of AWS's API is what the submitter policy grants."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_batch import endpoint
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.conftest import ROOT, run
from tests.stack.permissions import NEEDS, SUBMITTER

# Calls that IAM names otherwise.
OTHER_NAMES = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket on an endpoint of this test's own."""
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(tmp_path / "home"))
    bucket = Bucket(Cloud(endpoint.start()), "recorded")
    bucket.create()
    yield bucket
    endpoint.stop()


def test_every_call_of_a_run_is_granted_to_who_submits(bucket: Bucket, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "tests/acceptance/words", tmp_path / "words")
    samples = tmp_path / "samples.txt"
    samples.write_text("a\nb\n")
    for sample in ("a", "b"):
        bucket.write(f"input/{sample}.txt", b"some words\n")
    words = ["--queue", "local", "--bucket-name", bucket.name, "--sample-list-file", str(samples)]
    answer = run("run", *words, "--pipeline", folder / "my_pipeline.py", "--json")
    assert answer.exit_code == 0, answer.stderr
    recorded = set(answer.json["api_calls"])
    assert {"SubmitJob", "DescribeJobs", "RegisterJobDefinition", "PutObject"} <= recorded
    granted = {need.action.partition(":")[2] for need in NEEDS if need.who == SUBMITTER}
    assert {OTHER_NAMES.get(call, call) for call in recorded} <= granted
