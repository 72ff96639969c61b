"""docs/steps.md shows steps that run as written."""

import re
import textwrap
from pathlib import Path

from tests.fetch_and_run.s3_server import ROOT
from tests.steps.conftest import Children, job


def test_the_python_step_of_the_page_runs(children: Children, tmp_path: Path) -> None:
    page = (ROOT / "docs/steps.md").read_text()
    found = re.search(r'^    """upper:.*?^        main\(shout\)$', page, re.DOTALL | re.MULTILINE)
    assert found
    script = tmp_path / "upper.py"
    script.write_text(textwrap.dedent(found[0]))
    children.bucket.put("input/s1.txt", "hello")
    done = children.run(job("upper", inputs=["input/{sample}.txt"], outputs=["upper.txt"]), script=script)
    assert done.exit_code == 0, done.stderr
    assert children.output("upper", "upper.txt") == b"HELLO"
