"""Definitions that a pipeline's steps no longer use take no new jobs; those of others stay."""

from __future__ import annotations

from pipeline.api.definitions import deregister_old
from pipeline.api.place import Place
from tests.pipeline.lab import Lab


def test_only_the_pipelines_own_old_definitions_are_deregistered(lab: Lab) -> None:
    lab.submitted()
    old = lab.pipeline(memory_mib=9000)
    there = {found["jobDefinitionName"] for found in lab.batch.definitions()}
    lab.batch.register({"jobDefinitionName": "toy-b-old", "tags": {"pipeline": "toy", "step": "b"}})
    lab.batch.register({"jobDefinitionName": "theirs", "tags": {"pipeline": "fusion", "step": "b"}})
    lab.batch.register({"jobDefinitionName": "by-hand"})
    place = Place(queue="stub")
    assert [arn.rpartition("/")[2] for arn in deregister_old(lab.pipeline(), place)] == ["toy-b-old:1"]
    left = {found["jobDefinitionName"] for found in lab.batch.definitions()}
    assert left == {*there, "theirs", "by-hand"}
    [gone] = deregister_old(old, place)
    assert "toy-b-" in gone


def test_a_second_time_there_is_nothing_left_to_do(lab: Lab) -> None:
    lab.submitted()
    assert deregister_old(lab.pipeline(), Place(queue="stub")) == []
