"""An S3 of the user's own: named by AWS_ENDPOINT_URL_S3, it is used with the user's keys, and none is started."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.acceptance.command import run

WORDS = Path(__file__).parent / "words"


@pytest.fixture
def own_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "mine",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "BATCH_PIPELINE_HOME": str(tmp_path / "home"),
    }.items():
        monkeypatch.setenv(name, value)
    yield url
    run("local", "stop")
    server.stop()


def test_a_run_over_the_users_own_s3_starts_no_other(own_s3: str, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="input/a.txt", Body=b"one two\n")
    pipeline = shutil.copytree(WORDS, tmp_path / "words") / "my_pipeline.py"
    run("local", "start", "--runner", "process")
    answer = run(
        "--queue", "local", "--bucket-name", "mine", "--sample-list-file", "-", "--pipeline", pipeline, stdin="a\n"
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stderr
    body = s3.get_object(Bucket="mine", Key="results/words/default/count/a/count.txt")["Body"].read()
    assert body == b"4\n"
    assert run("local", "status", "--json").json["s3"] == own_s3
    assert not (tmp_path / "home/local/s3/data").exists()
