"""The entrypoint of the base image is importable, and the engine is there or its tests are skipped (CI: fail)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.errors import InputError
from pipeline.images.engine import Engine
from pipeline.images.image import FOLDER

sys.path.append(str(FOLDER / "base"))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """A running container engine."""
    try:
        found = Engine()
        reason = subprocess.run([found.program, "info"], capture_output=True, text=True, check=False)
        if reason.returncode == 0:
            return found
        missing = reason.stderr.strip() or reason.stdout.strip()
    except InputError as error:
        missing = str(error)
    if os.environ.get("CI") or os.environ.get("BATCH_PIPELINE_REQUIRE_ENGINE"):
        pytest.fail(f"no container engine runs: {missing}")
    pytest.skip("no container engine runs")
