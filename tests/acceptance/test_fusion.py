"""The pipeline of the card, end to end, with the real programs on the embedded endpoint."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from examples.fusion_demo.make import make
from pipeline.cli.local import upload
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.acceptance.command import Answer, run

STEPS = {"index", "picard", "kallisto", "pizzly", "gather"}
MARKER = re.compile(r"_SUCCESS\.[0-9a-f]+\.[0-9a-f]+\.json")
EOF_BLOCK = 28  # bytes that end every whole BAM file
Samples = tuple[Bucket, Path]


@pytest.fixture(scope="module")
def samples(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = tmp_path_factory.mktemp("samples")
    make(folder, samples=8)
    for part, prefix in {"input": "input", "reference": "reference/demo"}.items():
        upload(folder / part, bucket, prefix)
    return bucket, folder


def words(samples: Samples, *more: str) -> list[str]:
    bucket, folder = samples
    sheet = str(folder / "samples.txt")
    return [
        "--queue",
        "local",
        "--bucket-name",
        bucket.name,
        "--sample-list-file",
        sheet,
        "--reference",
        "demo",
        *more,
    ]


@pytest.fixture(scope="module")
def finished(samples: Samples) -> Answer:
    answer = run(*words(samples, "--json"))
    assert answer.exit_code == 0, answer.stderr
    return answer


def rows(body: bytes | None) -> set[tuple[str, str, str]]:
    assert body is not None
    table = csv.DictReader(io.StringIO(body.decode()), delimiter="\t")
    return {(row["sample"], row["geneA"], row["geneB"]) for row in table}


def test_every_planted_fusion_is_called_and_no_other(samples: Samples, finished: Answer) -> None:
    bucket, folder = samples
    gather = next(step for step in finished.json["steps"] if step["name"] == "gather")
    key = gather["output"].removeprefix(f"s3://{bucket.name}/") + "/fusions.tsv"
    assert rows(bucket.read(key)) == rows((folder / "truth.tsv").read_bytes())


def test_status_has_the_shape_that_other_programs_rely_on(finished: Answer) -> None:
    status = run("status", finished.json["run"], "--json").json
    assert {"run", "uri", "pipeline", "queue", "state", "steps", "samples", "api_calls"} <= set(status)
    assert status["state"] == "SUCCEEDED"
    assert {step["name"] for step in status["steps"]} == STEPS
    assert all(step["counts"]["SUCCEEDED"] == step["size"] for step in status["steps"])
    assert len(status["samples"]) == 8
    entry = status["samples"][0]["steps"]["picard"]
    assert {"status", "attempts", "exit_code", "reason", "seconds", "log"} <= set(entry)
    assert (entry["status"], entry["attempts"], entry["exit_code"], entry["reason"]) == (
        "SUCCEEDED",
        1,
        0,
        None,
    )
    assert entry["seconds"] > 0
    assert status["api_calls"]["SubmitJob"] == 5


def test_each_sample_has_its_results_and_the_marker(samples: Samples, finished: Answer) -> None:
    bucket, folder = samples
    for name in (folder / "samples.txt").read_text().split():
        prefix = f"results/fusion/demo/pizzly/{name}/"
        [key] = [found.key for found in bucket.objects(prefix) if MARKER.fullmatch(found.key, len(prefix))]
        marker = bucket.read_json(key)
        assert {"due", "fingerprint", "files", "inputs", "seconds"} <= set(marker)
        for file, facts in marker["files"].items():
            body = bucket.read(f"{prefix}{file}")
            assert body is not None
            assert len(body) == facts["size"]


def test_kallisto_of_an_early_sample_starts_before_picard_of_the_last_ends(
    cloud: Cloud, finished: Answer
) -> None:
    job_ids = {step["name"]: step["job_ids"][0] for step in finished.json["steps"]}

    def times(step: str, moment: str) -> list[int]:
        children: list[Any] = cloud.batch.describe_jobs(jobs=[f"{job_ids[step]}:{i}" for i in range(8)])[
            "jobs"
        ]
        return [child[moment] for child in children]

    assert min(times("kallisto", "startedAt")) < max(times("picard", "stoppedAt"))


def test_a_second_run_computes_nothing_and_says_so(samples: Samples, finished: Answer) -> None:
    again = run(*words(samples))
    assert again.exit_code == 0
    assert "nothing was recomputed" in again.stderr
    assert "SubmitJob" not in again.stderr


def test_logs_shows_what_the_program_printed(finished: Answer) -> None:
    answer = run("logs", finished.json["run"], "patient1", "kallisto")
    assert answer.exit_code == 0, answer.stderr
    assert "[quant] fragment length distribution" in answer.stdout
    assert "pseudoaligned" in answer.stdout


def test_bad_bam_files_fail_at_picard_with_the_cause_and_the_others_succeed(
    samples: Samples, finished: Answer, tmp_path: Path
) -> None:
    bucket, folder = samples
    whole = (folder / "input/patient1.bam").read_bytes()
    bad = {
        "first-block": whole[:200],
        "seventy": whole[: len(whole) * 7 // 10],
        "no-eof": whole[:-EOF_BLOCK],
    }
    for name, body in bad.items():
        bucket.write(f"input/{name}.bam", body)
    good = (folder / "samples.txt").read_text().split()[:5]
    (tmp_path / "mixed.txt").write_text("\n".join([good[0], *bad, *good[1:]]))
    more = ["--sample-list-file", str(tmp_path / "mixed.txt"), "--json"]
    answer = run(*words(samples, *more, "--pipeline-name", "mixed"))
    assert answer.exit_code == 5
    entries = {row["sample"]: row["steps"] for row in answer.json["samples"]}
    for name in bad:
        assert entries[name]["picard"]["status"] == "FAILED"
        assert "truncated" in entries[name]["picard"]["reason"]
        assert entries[name]["picard"]["attempts"] == 1
        for later in ("kallisto", "pizzly"):
            assert entries[name][later]["status"] == "SKIPPED"
            assert entries[name][later]["reason"] == "skipped because picard failed"
            assert entries[name][later]["attempts"] == 0
    assert all(entry["status"] == "SUCCEEDED" for name in good for entry in entries[name].values())
    failed = bucket.read(f"runs/{answer.json['run']}/failed.txt")
    assert failed is not None
    assert sorted(failed.decode().split()) == sorted(bad)
