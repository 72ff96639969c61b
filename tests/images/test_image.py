"""Images by their content."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.images import image as module
from pipeline.images.image import FOLDER, ROOT, Image, find, is_ours, names


@pytest.fixture
def dockerfiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Dockerfiles, to be changed."""
    copy = tmp_path / "dockerfiles"
    shutil.copytree(FOLDER, copy)
    monkeypatch.setattr(module, "FOLDER", copy)
    return copy


def tags() -> dict[str, str]:
    return {name: Image(name, "x86_64").tag for name in names()}


def test_there_is_an_image_for_each_program_and_base_comes_first() -> None:
    assert set(names()) >= {"base", "picard", "kallisto", "pizzly"}
    assert names()[0] == "base"


def test_the_same_files_have_the_same_tag(dockerfiles: Path) -> None:
    assert tags() == tags()


def test_a_changed_image_changes_its_own_tag_and_its_childrens(dockerfiles: Path) -> None:
    before = tags()
    with (dockerfiles / "kallisto" / "Dockerfile").open("a") as file:
        file.write("RUN true\n")
    changed = {name for name, tag in tags().items() if tag != before[name]}
    assert changed == {"kallisto", "pizzly"}


def test_a_changed_base_changes_every_tag(dockerfiles: Path) -> None:
    before = tags()
    (dockerfiles / "base" / "entrypoint" / "more.py").write_text("")
    assert not set(before.values()) & set(tags().values())


def test_the_base_image_holds_fetch_and_run() -> None:
    files = Image("base", "x86_64").files
    assert {"Dockerfile", "fetch_and_run/__main__.py", "entrypoint/__main__.py"} <= set(files)
    assert not any("__pycache__" in name for name in files)


def test_another_architecture_is_another_image() -> None:
    assert Image("picard", "arm64").tag != Image("picard", "x86_64").tag


def test_parents_are_built_before_their_children() -> None:
    assert [image.name for image in find(["pizzly"], "x86_64")] == ["base", "kallisto", "pizzly"]
    assert [image.name for image in find(["picard", "kallisto"], "x86_64")] == ["base", "picard", "kallisto"]


def test_unknown_images_are_named_together_with_those_there_are() -> None:
    with pytest.raises(InputError) as refused:
        find(["picrad", "salmon"], "x86_64")
    assert len(refused.value.problems) == 2
    assert "kallisto" in str(refused.value)


@pytest.mark.parametrize("name", ["quay.io/lab/tool:1", "../base", "", "debian:bookworm-slim"])
def test_a_reference_to_a_registry_is_not_ours(name: str) -> None:
    assert not is_ours(name)


def test_the_base_image_pins_what_pipfile_lock_pins() -> None:
    pins = (FOLDER / "base" / "requirements.txt").read_text()
    lock = json.loads((ROOT / "Pipfile.lock").read_text())["default"]
    for name in ("obstore", "sh"):
        block = re.search(rf"^{name}==.*?(?=^\S|\Z)", pins, re.MULTILINE | re.DOTALL)
        assert block, name
        assert block[0].startswith(f"{name}{lock[name]['version']} ")
        assert set(re.findall(r"sha256:\w+", block[0])) == set(lock[name]["hashes"])
