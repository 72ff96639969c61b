"""Whatever two executions of one child do, and wherever either is killed, a marker vouches for its own files only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fetch_and_run import s3
from steps.library.contract import Found, MarkerName, due, made
from steps.library.place import Place, look, look_into_each, own
from tests.steps.conftest import URL, job
from tests.steps.objects import Objects

HERE = f"{URL}/results/fusion/demo/upper/s1"


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    objects = Objects()
    for name in ("read", "write", "listing"):
        monkeypatch.setattr(s3, name, lambda *words, name=name: getattr(objects, name)(*words))
    return objects


def publish(objects: Objects, place: Place, due_now: str, files: dict[str, bytes]) -> Iterator[None]:
    """The requests of a child that publishes, one at a time, as `steps.library` orders them."""
    for marker in place.folder.markers:
        objects.write(place.of(marker), b"")
        yield
    found = {}
    for name, content in files.items():
        objects.write(place.of(name), content)
        stored = objects.stored(place.of(name))
        found[name] = Found(stored.etag, stored.size)
        yield
    told = {name: one._asdict() for name, one in found.items()}
    place.mark(MarkerName(None, due_now, made(found)), {"files": told})
    yield


def due_of(version: str) -> str:
    return due("f", {}, {"input": Found(version, 1)})


def vouched(place: Place) -> dict[MarkerName, dict[str, str]]:
    """Each marker that holds, and the ETags that it vouches for."""
    held = {marker: place.published(marker) for marker in place.folder.markers}
    return {
        marker: {name: found.etag for name, found in files.items()}
        for marker, files in held.items()
        if files is not None
    }


contents = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from([b"1", b"2", b""]), min_size=1)
turns = st.lists(st.integers(0, 2), max_size=30)


@given(
    made_by=st.tuples(contents, contents, contents),
    versions=st.tuples(*[st.sampled_from("xy")] * 3),
    turns=turns,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_a_marker_that_holds_vouches_for_what_an_execution_of_its_due_made(
    objects: Objects, made_by: tuple[dict[str, bytes], ...], versions: tuple[str, ...], turns: list[int]
) -> None:
    """Three executions, each begun before any of them ended or after; those that get no more turns are killed."""
    objects.content.clear()
    running: dict[int, Iterator[None]] = {}
    results = [
        {name: s3.Stored("", _etag(body), len(body)) for name, body in files.items()} for files in made_by
    ]
    for one in turns:
        if one not in running:
            running[one] = publish(objects, look(HERE), due_of(versions[one]), made_by[one])
        next(running[one], None)
        for marker, etags in vouched(look(HERE)).items():
            expected = [
                {name: stored.etag for name, stored in result.items()}
                for result, version in zip(results, versions, strict=True)
                if due_of(version) == marker.due
            ]
            assert etags in expected


def _etag(body: bytes) -> str:
    objects = Objects()
    objects.write("x", body)
    return objects.stored("x").etag


@pytest.mark.parametrize("killed_after", range(6))
def test_wherever_a_child_is_killed_the_next_execution_makes_the_whole_result(
    objects: Objects, killed_after: int
) -> None:
    for _ in publish(objects, look(HERE), due_of("old"), {"a": b"old", "b": b"old", "c": b"old"}):
        pass
    requests = publish(objects, look(HERE), due_of("new"), {"a": b"new", "b": b"new"})
    for _ in range(killed_after):
        next(requests, None)
    if look(HERE).standing(due_of("new")) is None:
        for _ in publish(objects, look(HERE), due_of("new"), {"a": b"new", "b": b"new"}):
            pass
    [(marker, files)] = look(HERE).results("f").items()
    assert (marker.due, set(files)) == (due_of("new"), {"a", "b"})
    assert objects.content[f"{HERE}/a"] == b"new"


def test_retired_markers_are_empty_objects_of_the_same_name(objects: Objects) -> None:
    for _ in publish(objects, look(HERE), due_of("old"), {"a": b"1"}):
        pass
    [marker] = look(HERE).folder.markers
    place = look(HERE)
    place.retire()
    place.retire()
    assert objects.content[f"{HERE}/{marker}"] == b""
    assert objects.requests.count(f"PUT {HERE}/{marker}") == 2  # as a marker, and once over it
    assert look(HERE).folder.markers == ()


def test_a_marker_that_was_retired_or_removed_since_it_was_listed_says_nothing(objects: Objects) -> None:
    marker = MarkerName(None, due_of("old"), made({}))
    assert look(HERE).read(marker) is None
    objects.content[f"{HERE}/{marker}"] = b""
    assert look(HERE).read(marker) is None


def test_a_result_that_stands_is_told_by_one_listing(objects: Objects) -> None:
    for _ in publish(objects, look(HERE), due_of("x"), {"a": b"1"}):
        pass
    objects.requests.clear()
    assert look(HERE).standing(due_of("x"))
    assert look(HERE).standing(due_of("y")) is None
    assert objects.requests == [f"LIST {HERE}"] * 2


def test_every_samples_folder_is_seen_by_one_listing(objects: Objects) -> None:
    for sample in ("s1", "s10", "two words"):
        objects.content[f"{URL}/out/{sample}/plots/a.png"] = b"1"
    objects.requests.clear()
    places = look_into_each(f"{URL}/out")
    assert {sample: (place.url, set(place.folder.files)) for sample, place in places.items()} == {
        sample: (f"{URL}/out/{sample}", {"plots/a.png"}) for sample in ("s1", "s10", "two words")
    }
    assert len(objects.requests) == 1


def test_a_child_publishes_below_its_sample_its_cohort_or_the_reference(objects: Objects) -> None:
    urls: list[str] = [
        own(job("upper"), "s1").url,
        own(job("join", scope="run"), None).url,
        own(job("index", scope="reference"), None).url,
    ]
    assert urls == [HERE, f"{URL}/results/fusion/demo/join/c0ffee", f"{URL}/reference/demo"]
