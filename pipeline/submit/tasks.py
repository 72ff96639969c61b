"""The door to Luigi: a task a step, which decides what is not submitted yet.

A task's output is the step's job record in the bucket. Its `run` submits the step's array jobs and writes the
record; that takes a second, the arrays take hours. So after the submits the same worker keeps the tasks running in
the scheduler, with the arrays' progress and counts, until Batch says that they ended.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from weakref import WeakValueDictionary

import luigi
import luigi.worker
from luigi.execution_summary import LuigiRunResult
from luigi.parameter import ParameterVisibility

from pipeline.errors import Problem, UnreachableError
from pipeline.follow.progress import Progress
from pipeline.model.run import Run, RunStep
from pipeline.submit.submitter import Submitter, check_submitted

LUIGID_PORT = "8082"  # https://luigi.readthedocs.io/en/stable/central_scheduler.html
CONNECT_TIMEOUT_S = 10


class JobRecord(luigi.Target):
    """A step's job record in the bucket: it exists once every job of the step is submitted."""

    def __init__(self, submitter: Submitter, step: str) -> None:
        self._submitter = submitter
        self._step = step

    def exists(self) -> bool:
        return self._submitter.record(self._step) is not None


@dataclass(eq=False)
class Submission:
    """One client's submit of one run, and what its tasks raised. Tasks find it by its token while it lasts."""

    submitter: Submitter
    failures: list[BaseException] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(8))


# Luigi keeps every task for good, so a task holds words only: what it works with goes when the submit is over.
_SUBMISSIONS: WeakValueDictionary[str, Submission] = WeakValueDictionary()


class StepTask(luigi.Task):
    """The array jobs of one step are submitted, and recorded in the bucket."""

    run_uri = luigi.Parameter()
    name = luigi.Parameter()  # two steps can have one family: step-1 and step1 are both Step1
    token = luigi.Parameter(significant=False, visibility=ParameterVisibility.PRIVATE)

    @property
    def submission(self) -> Submission:
        return _SUBMISSIONS[str(self.token)]

    @property
    def step(self) -> RunStep:
        return self.submission.submitter.run.step(str(self.name))

    def requires(self) -> Sequence[luigi.Task]:
        return [self._other(name) for name in self.step.after]

    def _other(self, name: str) -> luigi.Task:
        return task_class(name)(run_uri=self.run_uri, name=name, token=self.token)

    def output(self) -> JobRecord:
        return JobRecord(self.submission.submitter, str(self.name))

    def run(self) -> None:
        self.submission.submitter.submit(self.step)


@StepTask.event_handler(luigi.Event.FAILURE)
@StepTask.event_handler(luigi.Event.BROKEN_TASK)
def _remember(task: StepTask, error: BaseException) -> None:
    task.submission.failures.append(error)


def task_name(step: str) -> str:
    """The name of a step's task on the scheduler's page: kallisto → Kallisto, call-peaks → CallPeaks."""
    return "".join(word.capitalize() for word in step.replace("_", "-").split("-"))


@cache
def task_class(step: str) -> type[StepTask]:
    """The class of a step's task: its name is the family that the scheduler's page shows."""
    return type(task_name(step), (StepTask,), {})


def make_tasks(submission: Submission) -> dict[str, StepTask]:
    """One task a step, by the step's name, requiring those it comes after."""
    _SUBMISSIONS[submission.token] = submission
    run = submission.submitter.run
    return {
        step.name: task_class(step.name)(run_uri=run.uri, name=step.name, token=submission.token)
        for step in run.steps
    }


@dataclass
class SchedulerPage:
    """What the central scheduler shows of a run: this worker's tasks, running until their arrays end."""

    scheduler: Any
    worker_id: str
    tasks: Mapping[str, StepTask]
    after: Mapping[str, Sequence[str]]  # each step's upstream
    is_gone: bool = False  # a scheduler that went away ends nothing

    def show_all(self, progress: Mapping[str, Progress], urls: Mapping[str, str]) -> None:
        """Each step is running, so far along, with its counts, until its arrays end."""
        with self._tolerant():
            self._show_all(progress, urls)

    def end_all(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Each step is done, or failed, with its last counts."""
        with self._tolerant():
            self._end_all(counts)

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except luigi.rpc.RPCError:
            self.is_gone = True
        else:
            self.is_gone = False

    def _show_all(self, progress: Mapping[str, Progress], urls: Mapping[str, str]) -> None:
        self.scheduler.ping(worker=self.worker_id)
        for name, step in progress.items():
            if not step.has_ended:
                self._set_status(name, "RUNNING", url=urls.get(name))
                self.scheduler.set_task_progress_percentage(self.tasks[name].task_id, step.percentage)
                self.scheduler.set_task_status_message(self.tasks[name].task_id, str(step))

    def _end_all(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        for name, step in counts.items():
            message = ", ".join(f"{number} {status}" for status, number in step.items() if number)
            status = "DONE" if sum(step.values()) == step["SUCCEEDED"] else "FAILED"
            self.scheduler.set_task_status_message(self.tasks[name].task_id, message)
            self._set_status(name, status, explanation=message)

    def _set_status(
        self, step: str, status: str, *, url: str | None = None, explanation: str | None = None
    ) -> None:
        task = self.tasks[step]
        self.scheduler.add_task(
            worker=self.worker_id,
            task_id=task.task_id,
            status=status,
            family=task.task_family,
            params=task.to_str_params(),
            deps=[self.tasks[name].task_id for name in self.after[step]],
            tracking_url=url,
            expl=explanation,
        )


class _Factory:
    """Luigi's own scheduler and worker, kept hold of."""

    scheduler: Any
    worker: Any

    def create_local_scheduler(self) -> Any:
        self.scheduler = luigi.scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)
        return self.scheduler

    def create_remote_scheduler(self, url: str) -> Any:
        self.scheduler = luigi.rpc.RemoteScheduler(url, connect_timeout=CONNECT_TIMEOUT_S)
        return self.scheduler

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> Any:
        self.worker = luigi.worker.Worker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            no_install_shutdown_handler=True,  # signals are the program's, and runs are started in threads too
        )
        return self.worker


def submit_through_luigi(run: Run, submitter: Submitter, url: str) -> SchedulerPage:
    """Every step of the run is submitted, each through its Luigi task; `url` is the scheduler's, empty for one here.

    Luigi logs a task's failure and goes on; here the first one is raised as it was.

    Raises: whatever a task raised; UnreachableError when the scheduler does not answer.
    """
    submission = Submission(submitter)
    tasks = make_tasks(submission)
    factory = _Factory()
    _build(submission, tasks, factory, url)
    if url and any(submitter.record(step.name) is None for step in run.steps):
        # The central scheduler leaves a dead worker its tasks for a while; whose turn it is to submit is known here.
        _build(submission, tasks, _Factory(), "")
    check_submitted(submitter)
    factory.scheduler._rpc_retry_attempts = (
        1  # the watch does not wait for a page: luigi.rpc would, for a minute
    )
    after = {step.name: step.after for step in run.steps}
    return SchedulerPage(factory.scheduler, factory.worker._id, tasks, after)


def _build(submission: Submission, tasks: Mapping[str, StepTask], factory: _Factory, url: str) -> None:
    """Luigi ran the tasks that it found to be due. Raises: what a task raised; UnreachableError."""
    try:
        result: LuigiRunResult = luigi.build(
            list(tasks.values()),
            worker_scheduler_factory=factory,
            detailed_summary=True,
            workers=1,
            log_level="CRITICAL",
            **({"scheduler_url": url} if url else {"local_scheduler": True}),
        )
    except luigi.rpc.RPCError as error:
        raise _silent(url) from error
    if submission.failures:
        raise submission.failures[0]
    if not result.scheduling_succeeded:
        raise _silent(url)


def scheduler_url(host: str | None) -> str:
    """The central scheduler that the user or luigi.cfg names, HOST or HOST:PORT; empty when neither does.

    Raises: UnreachableError when nothing listens there: Luigi itself would try for minutes.
    """
    core = luigi.configuration.get_config()
    host = host or core.get("core", "default-scheduler-host", "")
    if not host:
        return str(core.get("core", "default-scheduler-url", ""))
    name, _, port = host.partition(":")
    port = port or core.get("core", "default-scheduler-port", LUIGID_PORT)
    url = f"http://{name}:{port}/"
    try:
        socket.create_connection((name, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        raise _silent(url) from error
    return url


def _silent(url: str) -> UnreachableError:
    return UnreachableError(
        Problem(
            "the Luigi scheduler does not answer", url, "start luigid there, or run without --scheduler-host"
        )
    )
