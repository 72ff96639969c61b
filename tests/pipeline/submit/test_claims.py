"""One conditional write decides which client starts the next run of a results tree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pipeline.model.layout import Layout
from pipeline.submit import claims
from pipeline.submit.claims import Claims
from tests.pipeline.examples import LAYOUT
from tests.pipeline.lab import Lab, plan_run

OTHER_TREE = Layout("lab", "toy", "hg19")


def pin(lab: Lab, run_id: str) -> None:
    lab.adopt(plan_run(lab.folder, 2, order={"run_id": run_id}), ["s0", "s1"])


def close(lab: Lab, run_id: str) -> None:
    lab.bucket.write(f"runs/{run_id}/summary.json", b"{}")


def take(lab: Lab, run_id: str) -> bool:
    pin(lab, run_id)
    return claims.claim(lab.bucket, LAYOUT, after=claims.look(lab.bucket, LAYOUT), run_id=run_id)


def open_ids(lab: Lab, layout: Layout = LAYOUT) -> list[str]:
    return [folder.run.id for folder in claims.look(lab.bucket, layout).open_runs]


def test_where_nothing_was_claimed_there_is_no_open_run(lab: Lab) -> None:
    assert claims.look(lab.bucket, LAYOUT) == Claims((), 0)


def test_a_look_writes_nothing(lab: Lab) -> None:
    take(lab, "toy-1")
    with lab.writes() as written:
        claims.look(lab.bucket, LAYOUT)
    assert written == [0]


def test_open_runs_are_told_oldest_first(lab: Lab) -> None:
    assert take(lab, "toy-9")
    assert take(lab, "toy-1")
    assert open_ids(lab) == ["toy-9", "toy-1"]


def test_a_closed_run_is_not_open(lab: Lab) -> None:
    take(lab, "toy-1")
    close(lab, "toy-1")
    assert open_ids(lab) == []


def test_a_claim_of_a_run_that_was_never_pinned_is_not_open(lab: Lab) -> None:
    assert claims.claim(lab.bucket, LAYOUT, after=Claims((), 0), run_id="gone")
    assert open_ids(lab) == []


def test_another_tree_has_claims_of_its_own(lab: Lab) -> None:
    take(lab, "toy-1")
    assert open_ids(lab, OTHER_TREE) == []
    assert LAYOUT.claims != OTHER_TREE.claims


def test_a_client_whose_look_is_old_does_not_get_the_claim(lab: Lab) -> None:
    look = claims.look(lab.bucket, LAYOUT)
    assert take(lab, "toy-1")
    assert not claims.claim(lab.bucket, LAYOUT, after=look, run_id="toy-2")
    assert open_ids(lab) == ["toy-1"]


def test_of_many_clients_that_look_at_one_instant_one_gets_the_claim(lab: Lab) -> None:
    look = claims.look(lab.bucket, LAYOUT)
    with ThreadPoolExecutor(8) as threads:
        got = list(
            threads.map(
                lambda number: claims.claim(lab.bucket, LAYOUT, after=look, run_id=f"toy-{number}"), range(8)
            )
        )
    assert sum(got) == 1


def test_tidying_removes_claims_of_closed_runs_and_never_the_last(lab: Lab) -> None:
    for number in range(1, 5):
        take(lab, f"toy-{number}")
    for run_id in ("toy-1", "toy-3", "toy-4"):
        close(lab, run_id)
    claims.tidy(lab.bucket, LAYOUT)
    assert [found.key for found in lab.bucket.objects(LAYOUT.claims)] == [LAYOUT.claim(2), LAYOUT.claim(4)]


def test_a_number_is_never_given_twice(lab: Lab) -> None:
    look = claims.look(lab.bucket, LAYOUT)
    take(lab, "toy-1")
    close(lab, "toy-1")
    claims.tidy(lab.bucket, LAYOUT)
    assert not claims.claim(lab.bucket, LAYOUT, after=look, run_id="toy-2")
