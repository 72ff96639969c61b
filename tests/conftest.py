"""What all tests share: state of their own, and the endpoint on this machine for those that need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watcher import watch


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """State below a temporary folder, and no AWS account of whoever runs the tests.

    What a test starts there ends with the session, even where that is killed.
    """
    home = tmp_path_factory.mktemp("home")
    watcher = watch(tmp_path_factory.getbasetemp().resolve())
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(home / "none"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "none"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("BATCH_PIPELINE_HOME", str(home))
        yield home
    watcher.terminate()
    watcher.wait()
