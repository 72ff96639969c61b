"""The demo through the images: the same fusions as with processes. Needs a container engine; see conftest.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local_batch import endpoint
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from pipeline.images.engine import Engine, architecture_here
from pipeline.images.image import ROOT, find

TIMEOUT_S = 600


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the demo keeps its samples: made once, run twice."""
    return tmp_path / "data"


def demo(
    runner: str, data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, dict[str, bytes]]:
    """What the demo prints, and its tables of fusions, on an endpoint that runs all jobs in this way."""
    monkeypatch.setenv("BATCH_PIPELINE_HOME", str(home))
    cloud = Cloud(endpoint.start(runner=runner))
    try:
        command = [sys.executable, "-m", "examples.fusion_demo", "--folder", str(data)]
        ran = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert ran.returncode == 0, ran.stderr
        bucket = Bucket(cloud, "demo")
        keys = [found.key for found in bucket.objects("results/") if found.key.endswith(".tsv")]
        return ran.stdout, {key: bucket.read(key) or b"" for key in keys}
    finally:
        endpoint.stop()


def test_containers_call_the_fusions_that_processes_call(
    engine: Engine, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in find([], architecture_here()):
        engine.ensure(image, tell=print)
    said, in_containers = demo("container", data, tmp_path / "containers", monkeypatch)
    assert "8 of 8 planted fusions called, none false" in said
    _, in_processes = demo("process", data, tmp_path / "processes", monkeypatch)
    assert len(in_containers) == 9  # kallisto's abundances of eight samples, and the table of fusions
    assert in_containers == in_processes
