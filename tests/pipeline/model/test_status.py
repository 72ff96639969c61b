"""How a child can stand."""

from pipeline.model.status import Status


def test_a_child_has_ended_when_nothing_more_happens_to_it() -> None:
    ended = {status for status in Status if status.has_ended}
    assert ended == {Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.LOST}
