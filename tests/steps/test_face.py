"""`from steps import …` is all that a step needs, and costs only what is asked for."""

import subprocess
import sys

import pytest

import steps
from tests.fetch_and_run.s3_server import ROOT


def imported_by(statement: str) -> set[str]:
    """The modules that are loaded after that statement."""
    words = [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("name", steps.__all__)
def test_every_name_of_the_face_is_there(name: str) -> None:
    assert getattr(steps, name).__name__ == name


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Pipeline'"):
        steps.Pipeline  # noqa: B018


def test_the_client_imports_the_contract_without_a_childs_libraries() -> None:
    loaded = imported_by("import steps.library.contract")
    assert not {"obstore", "sh", "fetch_and_run"} & loaded


def test_a_child_with_nothing_to_do_imports_neither_sh_nor_a_pool_of_threads() -> None:
    loaded = imported_by("from steps import Child, main")
    assert not {"sh", "asyncio", "concurrent.futures"} & loaded
