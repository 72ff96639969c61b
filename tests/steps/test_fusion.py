"""The fusion steps with the real tools, over the demo's data."""

import shutil
from pathlib import Path

import pytest

from examples.fusion_demo.compare import compare
from examples.fusion_demo.make import make
from tests.steps.conftest import Children

TOOLS = ("java", "kallisto", "pizzly", "samtools")
pytestmark = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make(folder, samples=2)
    return folder


@pytest.fixture
def fusion(children: Children, demo: Path) -> Children:
    """Children over the demo's two samples."""
    children.bucket.upload(demo)
    for name in ("transcripts.fa.gz", "transcripts.gtf.gz"):
        children.bucket.put(f"reference/demo/{name}", (demo / "reference" / name).read_bytes())
    children.sheet = [["sample"], ["patient1"], ["patient2"]]
    return children


def test_the_planted_fusions_are_called(fusion: Children, demo: Path, tmp_path: Path) -> None:
    assert fusion.run("index", scope="reference").exit_code == 0
    for step in ("picard", "kallisto", "pizzly"):
        for row in range(2):
            done = fusion.run(step, row=row)
            assert done.exit_code == 0, done.stderr
    assert fusion.run("gather", scope="run").exit_code == 0
    called = tmp_path / "fusions.tsv"
    called.write_bytes(fusion.bucket.get("results/fusion/demo/gather/c0ffee/fusions.tsv"))
    lines, right = compare(demo / "truth.tsv", called)
    assert right, lines
    assert fusion.scratch() == []
