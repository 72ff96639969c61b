"""README is true: its links lead somewhere, its verbs and make targets exist, and its example is a pipeline."""

import re
from pathlib import Path

import pytest

from pipeline.cli.main import VERBS
from pipeline.model.check import check_pipeline
from pipeline.plan.load import load_pipeline

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", page.read_text()) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_named(verb: str) -> None:
    assert f"`{verb}" in README or f"main.py {verb}" in README


def test_every_make_target_exists() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`?make (\w+)", README)) <= set(targets)


def test_the_example_is_a_pipeline(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(# my_pipeline.py.*?)```", README, re.DOTALL)
    for script in ("trim.sh", "count.R", "report.py"):
        (tmp_path / script).touch()
    (tmp_path / "my_pipeline.py").write_text(example)
    check_pipeline(load_pipeline(tmp_path / "my_pipeline.py"))
