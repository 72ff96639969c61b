"""What a job definition asks of its container, and an engine gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local_batch.conftest import Local

pytestmark = pytest.mark.parametrize("runner", ["container"], indirect=True)


def test_user_limits_and_mounts_are_as_the_definition_says(local: Local, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "greeting").write_text("hello\n")
    local.define(
        "asking",
        user="1000:1000",
        readonlyRootFilesystem=True,
        ulimits=[{"name": "nofile", "softLimit": 321, "hardLimit": 321}],
        volumes=[{"name": "shared", "host": {"sourcePath": str(tmp_path / "shared")}}],
        mountPoints=[{"sourceVolume": "shared", "containerPath": "/shared", "readOnly": True}],
        linuxParameters={
            "sharedMemorySize": 8,
            "tmpfs": [{"containerPath": "/quick", "size": 8, "mountOptions": ["mode=1777"]}],
        },
    )
    script = """
        id -u; ulimit -n; cat /shared/greeting; df -m --output=size /dev/shm | tail -1
        touch /quick/file && echo quick
        touch /file /shared/file 2>/dev/null || echo read-only
    """
    job_id = local.submit(script, jobDefinition="asking")
    local.wait(job_id)
    assert [line.strip() for line in local.log(job_id)] == ["1000", "321", "hello", "8", "quick", "read-only"]
