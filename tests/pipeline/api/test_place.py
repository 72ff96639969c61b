"""A run is found again from this machine's memory, or from its URI."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.api.place import Place, open_run
from pipeline.cloud.home import remember_run
from pipeline.cloud.session import Cloud
from pipeline.errors import InputError
from tests.pipeline.lab import Lab, plan_run

NAMES = ["s0", "s1"]


@pytest.fixture
def asked(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The places that were connected to."""
    places: list[Place] = []

    def connect(place: Place) -> Cloud:
        places.append(place)
        return lab.cloud

    monkeypatch.setattr(Place, "connect", connect)
    lab.adopt(plan_run(lab.folder, NAMES), NAMES)
    return places


def test_a_run_of_this_machine_is_found_by_its_id_where_and_as_whom_it_was_started(
    lab: Lab, asked: list[Place]
) -> None:
    remember_run(plan_run(lab.folder, NAMES), profile="clinic")
    assert open_run("toy-1", Place()).run.id == "toy-1"
    assert asked == [Place(queue="stub", profile="clinic", region="us-east-1")]


def test_what_is_said_outranks_what_is_remembered(lab: Lab, asked: list[Place]) -> None:
    remember_run(plan_run(lab.folder, NAMES), profile="clinic")
    open_run("toy-1", Place(queue="big", profile="other", region="eu-west-1"))
    assert asked == [Place(queue="big", profile="other", region="eu-west-1")]


def test_a_run_on_this_machine_needs_no_region(lab: Lab, asked: list[Place]) -> None:
    local: dict[str, Any] = {"queue": "local", "queue_arn": "arn:aws:batch:local:0:job-queue/local"}
    remember_run(plan_run(lab.folder, NAMES, order=local), profile=None)
    open_run("toy-1", Place())
    assert asked == [Place(queue="local")]


def test_a_run_is_found_by_its_uri_on_any_machine(asked: list[Place]) -> None:
    for uri in ("s3://lab/runs/toy-1", "s3://lab/runs/toy-1/", "s3://lab/runs/toy-1/run.json"):
        assert open_run(uri, Place()).run.id == "toy-1"


def test_a_run_is_found_by_its_id_and_bucket(asked: list[Place]) -> None:
    assert open_run("toy-1", Place(bucket_name="lab")).run.id == "toy-1"


def test_a_run_that_is_known_nowhere_is_told_with_the_ways_to_name_it(asked: list[Place]) -> None:
    with pytest.raises(InputError, match=r"not started from this machine\n.*\n.*s3:// URI, or --bucket-name"):
        open_run("toy-7", Place())


def test_a_run_that_is_not_in_its_bucket_is_told_with_where_to_look(asked: list[Place]) -> None:
    with pytest.raises(InputError, match=r"there is no run 'toy-7'\n.*\n.*list --bucket-name lab"):
        open_run("s3://lab/runs/toy-7", Place())
