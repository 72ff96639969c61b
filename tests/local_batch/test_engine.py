"""The engine by itself: for any graph of jobs and any order of ends, its rules hold."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_batch.capacity import Capacity
from local_batch.engine import Engine
from local_batch.job import ArrayJob, Attempt, Dependency, Job, Outcome, RetryRule, Status, Submission
from local_batch.retry import is_retried
from local_batch.scheduler import Environment, Queue, Scheduler

SLOTS = 3


class Machine:
    """An engine on three slots; the test decides how each attempt ends."""

    def __init__(self) -> None:
        scheduler = Scheduler(Capacity(SLOTS, 1000))
        scheduler.environments["ce"] = Environment("ce", Capacity(SLOTS, 1000))
        scheduler.queues["q"] = Queue("q", 1, ["ce"])
        self.engine = Engine(scheduler)
        self.now = 0
        self.running: list[Job] = []

    def submit(
        self, *, size: int | None = None, depends_on: tuple[Dependency, ...] = (), attempts: int = 1
    ) -> Job:
        """Submit one job of one vCPU."""
        upstream = [self.engine.find(each.job_id) for each in depends_on if each.job_id]
        submission = Submission(
            id=f"job{len(self.engine.jobs)}",
            sequence=len(self.engine.jobs),
            created_at=self.now,
            name="j",
            queue="q",
            definition="d:1",
            container={},
            vcpus=1,
            memory_mib=1,
            depth=1 + max((job.submission.depth for job in upstream if job), default=-1),
            size=size,
            depends_on=depends_on,
            attempts=attempts,
        )
        job = self.engine.add(submission)
        self.engine.open(job, self.now)
        return job

    def go_on(self) -> None:
        """Start what may start."""
        for job in self.engine.admit(self.now):
            self.engine.started(job, self.now)
            self.running.append(job)

    def end(self, number: int, *, exit_code: int) -> None:
        """End one of the running jobs."""
        self.now += 1
        self.engine.ended(
            self.running.pop(number % len(self.running)), Outcome(exit_code=exit_code), self.now
        )


GRAPHS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(2, 4)),  # size
        st.sampled_from(["none", "whole", "n_to_n", "sequential"]),
        st.integers(0, 10),  # which earlier job
        st.integers(1, 3),  # attempts
    ),
    min_size=1,
    max_size=6,
)


def build(machine: Machine, graph: list[tuple[int | None, str, int, int]]) -> None:
    """Submit a graph's jobs."""
    for size, kind, which, attempts in graph:
        earlier = list(machine.engine.jobs.values())
        upstream = earlier[which % len(earlier)] if earlier else None
        depends_on: tuple[Dependency, ...] = ()
        if kind == "sequential" and size:
            depends_on = (Dependency(None, "SEQUENTIAL"),)
        elif kind == "n_to_n" and isinstance(upstream, ArrayJob):
            size = upstream.submission.size
            depends_on = (Dependency(upstream.id, "N_TO_N"),)
        elif kind == "whole" and upstream is not None:
            depends_on = (Dependency(upstream.id, None),)
        machine.submit(size=size, depends_on=depends_on, attempts=attempts)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=GRAPHS, choices=st.data())
def test_every_job_ends_and_every_rule_of_dependencies_holds(graph: Any, choices: Any) -> None:
    machine = Machine()
    build(machine, graph)
    machine.go_on()
    while machine.running:
        assert len(machine.running) <= SLOTS
        check(machine)
        number, code = choices.draw(st.tuples(st.integers(0, 9), st.sampled_from([0, 0, 0, 1])))
        machine.end(number, exit_code=code)
        machine.go_on()
    check(machine)
    assert all(job.is_over for job in machine.engine.jobs.values())
    assert machine.engine.scheduler.machine.used_vcpus == 0


def check(machine: Machine) -> None:
    """What is true of all jobs at all times."""
    for job in machine.engine.jobs.values():
        if isinstance(job, ArrayJob):
            statuses = [child.status for child in job.children]
            assert job.counts == {status: statuses.count(status) for status in Status}
            assert job.status in (Status.PENDING, Status.SUCCEEDED, Status.FAILED)
            assert job.is_over == all(child.is_over for child in job.children)
            if job.is_over:
                assert (job.status is Status.SUCCEEDED) == all(each is Status.SUCCEEDED for each in statuses)
        for unit in job.units:
            check_unit(machine.engine, job, unit)


def check_unit(engine: Engine, job: Job, unit: Job) -> None:
    """What is true of one job or child: it ran only after what it waits for had succeeded."""
    assert len(unit.attempts) <= unit.submission.attempts
    has_run = bool(unit.attempts) or unit.status in (Status.STARTING, Status.RUNNING)
    for upstream in upstreams(engine, job, unit):
        if has_run:
            assert upstream.status is Status.SUCCEEDED
        if upstream.status is Status.FAILED:
            assert (unit.status, unit.attempts) == (Status.FAILED, ())


def upstreams(engine: Engine, job: Job, unit: Job) -> list[Job]:
    """Return what one job or child waits for."""
    found = []
    for dependency in job.submission.depends_on:
        upstream = engine.find(dependency.job_id) if dependency.job_id else None
        if upstream is not None:
            found.append(upstream.units[unit.index or 0] if dependency.kind == "N_TO_N" else upstream)
        elif unit.index:
            found.append(job.units[unit.index - 1])
    return found


def test_a_long_sequential_array_fails_to_its_end_without_deep_recursion() -> None:
    machine = Machine()
    job = machine.submit(size=10_000, depends_on=(Dependency(None, "SEQUENTIAL"),))
    machine.go_on()
    machine.end(0, exit_code=1)
    assert job.status is Status.FAILED


def test_a_retried_job_goes_before_those_that_have_not_started() -> None:
    machine = Machine()
    first = machine.submit(attempts=2)
    for _ in range(5):
        machine.submit()
    machine.go_on()
    machine.end(0, exit_code=1)
    machine.go_on()
    assert first in machine.running


def attempt(*, exit_code: int | None = 1, reason: str | None = None, status_reason: str = "x") -> Attempt:
    """Return an attempt that failed so."""
    return Attempt("t", 0, 1, exit_code, reason, status_reason)


def test_the_first_rule_that_holds_decides_and_all_its_conditions_must_hold() -> None:
    rules = (
        RetryRule("EXIT", on_exit_code="1", on_reason="Out*"),
        RetryRule("RETRY", on_exit_code="1"),
        RetryRule("EXIT", on_exit_code="*"),
    )
    assert is_retried(attempt(), 1, attempts=2, rules=rules)
    assert not is_retried(attempt(reason="OutOfMemoryError"), 1, attempts=2, rules=rules)
    assert not is_retried(attempt(exit_code=2), 1, attempts=2, rules=rules)
    assert not is_retried(attempt(), 2, attempts=2, rules=rules)


def test_only_a_star_at_the_end_is_special_and_a_missing_reason_matches_a_lone_star() -> None:
    assert not is_retried(attempt(), 1, attempts=2, rules=(RetryRule("EXIT", on_reason="*"),))
    assert is_retried(attempt(), 1, attempts=2, rules=(RetryRule("EXIT", on_reason="a*"),))
    assert is_retried(attempt(reason="abc"), 1, attempts=2, rules=(RetryRule("EXIT", on_reason="*c"),))
