"""A pipeline that cannot run is refused with everything that is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import Pipeline, Step
from pipeline.errors import InputError
from tests.pipeline.examples import toy


def refused(pipeline: Pipeline) -> str:
    with pytest.raises(InputError) as caught:
        pipeline.check()
    return str(caught.value)


def test_a_good_pipeline_passes(tmp_path: Path) -> None:
    toy(tmp_path).check()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vcpus": 0}, "vcpus=0"),
        ({"memory_mib": 3}, "memory_mib=3"),
        ({"timeout_s": 59}, "timeout_s=59"),
        ({"retries": 10}, "retries=10"),
        ({"per": "plate"}, "per='plate'"),
        ({"parameters": {"AWS_BATCH_JOB_ID": "x"}}, "reserved"),
    ],
)
def test_a_step_outside_the_limits_of_batch_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    assert words in refused(toy(tmp_path, **changes))


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    step = Step("Bad Name", "absent.sh", vcpus=0)
    message = refused(Pipeline("toy", [step, step], folder=tmp_path))
    assert all(words in message for words in ("Bad Name", "absent.sh", "vcpus=0", "two steps"))


def test_a_step_cannot_come_after_one_that_is_listed_later(tmp_path: Path) -> None:
    (tmp_path / "s.sh").touch()
    first = Step("first", "s.sh")
    second = Step("second", "s.sh", after=[first])
    assert "not listed before it" in refused(Pipeline("toy", [second, first], folder=tmp_path))


def test_a_script_outside_the_pipelines_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "s.sh").touch()
    assert "outside" in refused(Pipeline("toy", [Step("s", "../s.sh")], folder=tmp_path / "inner"))
