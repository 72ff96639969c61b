"""How much memory a queue's machines have, where that can be known."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cloud.machines import largest_memory_mib
from tests.pipeline.lab import Lab


def environments(*types: str) -> list[dict[str, Any]]:
    return [{"computeResources": {"instanceTypes": list(types)}}]


def test_the_largest_machine_counts(lab: Lab) -> None:
    assert largest_memory_mib(lab.cloud, environments("m5.large", "m5.xlarge")) == 16 * 1024


def test_a_family_counts_with_its_largest_member(lab: Lab) -> None:
    largest = largest_memory_mib(lab.cloud, environments("m5"))
    assert largest is not None
    assert largest >= 384 * 1024


@pytest.mark.parametrize("types", [["optimal"], [], ["m5.large", "default_arm64"]])
def test_where_batch_chooses_nothing_is_known(lab: Lab, types: list[str]) -> None:
    assert largest_memory_mib(lab.cloud, environments(*types)) is None


def test_on_this_machine_nothing_is_known(lab: Lab) -> None:
    lab.cloud.is_local = True
    assert largest_memory_mib(lab.cloud, environments("m5.large")) is None
