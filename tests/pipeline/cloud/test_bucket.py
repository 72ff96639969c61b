"""The door to S3: absence is an answer, and of any number of conditional writers one hears True."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.cloud.bucket import Bucket, split_url
from pipeline.cloud.stub_batch import refusal
from tests.pipeline.lab import Lab


def test_an_object_that_is_absent_is_none(lab: Lab) -> None:
    assert lab.bucket.read("none") is None
    assert lab.bucket.read_json("none") is None
    assert lab.bucket.describe("none") is None
    assert not lab.bucket.has("none")
    assert Bucket(lab.cloud, "nowhere").read("none") is None
    assert not Bucket(lab.cloud, "nowhere").exists()


def test_what_was_written_is_read(lab: Lab) -> None:
    lab.bucket.write_json("a/é.json", {"name": "日本"})
    assert lab.bucket.read_json("a/é.json") == {"name": "日本"}
    assert lab.bucket.read("a/é.json") == '{\n "name": "日本"\n}'.encode()


def test_of_many_conditional_writers_one_hears_that_it_was_first(lab: Lab) -> None:
    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(lambda number: lab.bucket.write_new("k", b"%d" % number), range(8)))
    assert sum(heard) == 1
    assert lab.bucket.read("k") == b"%d" % heard.index(True)


class Conflicts:
    """An S3 in which another's write of the same key is under way for so many requests."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)

    def put_object(self, **_: Any) -> None:
        if self.codes:
            raise refusal(409, self.codes.pop(0), operation="PutObject")

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": BytesIO(b"another's")}


@pytest.mark.parametrize(
    ("codes", "heard"),
    [
        (["ConditionalRequestConflict"] * 2, True),
        (["ConditionalRequestConflict", "PreconditionFailed"], False),
    ],
)
def test_a_conditional_write_that_meets_another_asks_again_until_it_is_known_who_won(
    monkeypatch: pytest.MonkeyPatch, lab: Lab, codes: list[str], heard: bool
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(lab.bucket, "_s3", Conflicts(*codes))
    assert lab.bucket.write_new("k", b"") == heard
    assert len(pauses) == len(codes) - (not heard)


def test_a_conditional_write_whose_answer_was_lost_counts_as_written(lab: Lab) -> None:
    assert lab.bucket.write_new("k", b"mine")
    assert lab.bucket.write_new("k", b"mine")  # botocore sends it again by itself
    assert not lab.bucket.write_new("k", b"another's")


def test_a_conditional_write_that_never_gets_through_is_an_error(
    monkeypatch: pytest.MonkeyPatch, lab: Lab
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _pause: None)
    monkeypatch.setattr(lab.bucket, "_s3", Conflicts(*["ConditionalRequestConflict"] * 99))
    with pytest.raises(ClientError):
        lab.bucket.write_new("k", b"")


def test_what_s3_refuses_is_not_absence(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    class Refusing:
        def get_object(self, **_: Any) -> None:
            raise refusal(403, "AccessDenied", operation="GetObject")

    monkeypatch.setattr(lab.bucket, "_s3", Refusing())
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.bucket.read("k")


def test_more_objects_than_a_page_are_listed_and_deleted(lab: Lab) -> None:
    keys = [f"many/{number:04d}" for number in range(1003)]
    for key in keys:
        lab.bucket.write(key, b"x")
    assert [found.key for found in lab.bucket.objects("many/")] == keys
    lab.bucket.delete(*keys)
    assert list(lab.bucket.objects("many/")) == []


HOSTILE = ["it's; $(x)", 'a "b"', "100%25+1 &amp; <x>", "émile-日本-🧬", "=1+1", "a  b "]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_object_of_any_name_is_listed_as_it_was_written(lab: Lab, name: str) -> None:
    lab.bucket.write(f"in/{name}/x", b"123")
    [found] = lab.bucket.objects("in/")
    described = lab.bucket.describe(f"in/{name}/x")
    assert described is not None
    assert (found.key, found.size, found.etag) == (f"in/{name}/x", 3, described.etag)
    assert lab.bucket.folders("in/") == [name]


def test_a_listing_and_the_object_itself_tell_the_same_time(lab: Lab) -> None:
    lab.bucket.write("k", b"")
    [found] = lab.bucket.objects("k")
    described = lab.bucket.describe("k")
    assert described is not None
    assert abs(found.modified_at - described.modified_at) < timedelta(seconds=2)


def test_many_objects_are_read_in_the_order_asked_for(lab: Lab) -> None:
    lab.bucket.write("a", b"1")
    lab.bucket.write("b", b"2")
    assert list(lab.bucket.read_all(["b", "none", "a"])) == [("b", b"2"), ("none", None), ("a", b"1")]


def test_folders_are_told_one_level_deep(lab: Lab) -> None:
    for key in ("runs/b/run.json", "runs/a/x/y", "runs/file"):
        lab.bucket.write(key, b"")
    assert lab.bucket.folders("runs/") == ["a", "b"]


def test_a_stream_goes_up_and_comes_down(lab: Lab) -> None:
    lab.bucket.upload_stream(BytesIO(b"long"), "k")
    body = BytesIO()
    lab.bucket.download_to("k", body)
    assert body.getvalue() == b"long"


def test_a_url_is_a_bucket_and_a_key() -> None:
    assert split_url("s3://lab/input/a b.bam") == ("lab", "input/a b.bam")
    assert split_url("s3://lab") == ("lab", "")
