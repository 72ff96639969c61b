"""Whatever the history, what is published is what a fresh execution gives: python -m tests.histories plays more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.cloud.bucket import Bucket
from pipeline.cloud.session import Cloud
from tests.histories.clients import told_apart
from tests.histories.history import History, WrongResultError

EDITS = 6


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> Bucket:
    bucket = Bucket(cloud, "histories")
    bucket.create()
    return bucket


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # a smaller history is not found in any time that one would wait
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6))
def test_what_stands_is_what_a_fresh_execution_gives(bucket: Bucket, tmp_path: Path, seed: int) -> None:
    with told_apart():
        History(bucket, tmp_path, random.Random(seed)).play(EDITS)


def test_a_wrong_result_is_noticed(bucket: Bucket, tmp_path: Path) -> None:
    history = History(bucket, tmp_path, random.Random(1))
    with told_apart():
        history.settle()
    history.compare()
    key = next(iter(history.study.expected()))
    bucket.write(key, b"not what it was\n")
    with pytest.raises(WrongResultError):
        history.compare()
