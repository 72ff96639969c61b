"""The door to Luigi: a task a step, which decides what is not submitted yet.

A task's output is the step's job record in the bucket. Its `run` submits the step's array jobs and writes the
record; that takes a second, the arrays take hours. So after the submits the same worker keeps the tasks running in
the scheduler, with the arrays' progress and counts, until Batch says that they ended.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import luigi
import luigi.worker
from luigi.execution_summary import LuigiRunResult

from pipeline.errors import Problem, UnreachableError
from pipeline.run import Run, RunStep
from pipeline.submit import Submitter
from pipeline.watch import Progress

LUIGID_PORT = "8082"  # https://luigi.readthedocs.io/en/stable/central_scheduler.html
CONNECT_TIMEOUT_S = 10


class JobRecord(luigi.Target):
    """A step's job record in the bucket: it exists once every job of the step is submitted."""

    def __init__(self, submitter: Submitter, step: str) -> None:
        self._submitter = submitter
        self._step = step

    def exists(self) -> bool:
        return self._submitter.record(self._step) is not None


class StepTask(luigi.Task):
    """The array jobs of one step are submitted, and recorded in the bucket."""

    run_uri = luigi.Parameter()
    submitter: Submitter
    step: RunStep
    upstream: Sequence[luigi.Task]
    failures: list[BaseException]

    def requires(self) -> Sequence[luigi.Task]:
        return self.upstream

    def output(self) -> JobRecord:
        return JobRecord(self.submitter, self.step.name)

    def run(self) -> None:
        self.submitter.submit(self.step)


@StepTask.event_handler(luigi.Event.FAILURE)
@StepTask.event_handler(luigi.Event.BROKEN_TASK)
def _remember(task: StepTask, error: BaseException) -> None:
    task.failures.append(error)


def task_name(step: str) -> str:
    """The name of a step's task on the scheduler's page: kallisto → Kallisto, call-peaks → CallPeaks."""
    return "".join(word.capitalize() for word in step.replace("_", "-").split("-"))


def make_tasks(run: Run, submitter: Submitter, failures: list[BaseException]) -> dict[str, StepTask]:
    """One task a step, by the step's name, requiring those it comes after; what they raise goes to `failures`."""
    tasks: dict[str, StepTask] = {}
    for step in run.steps:
        upstream = [tasks[name] for name in step.after]
        members = {"submitter": submitter, "step": step, "upstream": upstream, "failures": failures}
        tasks[step.name] = type(task_name(step.name), (StepTask,), members)(run_uri=run.uri)
    return tasks


@dataclass
class SchedulerPage:
    """What the central scheduler shows of a run: this worker's tasks, running until their arrays end."""

    scheduler: Any
    worker_id: str
    tasks: Mapping[str, StepTask]

    def show_all(self, progress: Mapping[str, Progress], urls: Mapping[str, str]) -> None:
        """Each step is running, so far along, with its counts, until its arrays end."""
        self.scheduler.ping(worker=self.worker_id)
        for name, step in progress.items():
            if not step.has_ended:
                self._set_status(name, "RUNNING", url=urls.get(name))
                self.scheduler.set_task_progress_percentage(self.tasks[name].task_id, step.percentage)
                self.scheduler.set_task_status_message(self.tasks[name].task_id, str(step))

    def end_all(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Each step is done, or failed, with its last counts."""
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
            deps=[upstream.task_id for upstream in task.upstream],
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
        self.scheduler = luigi.rpc.RemoteScheduler(url)
        return self.scheduler

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> Any:
        self.worker = luigi.worker.Worker(
            scheduler=scheduler, worker_processes=worker_processes, assistant=assistant
        )
        return self.worker


def submit_through_luigi(run: Run, submitter: Submitter, scheduler_host: str | None) -> SchedulerPage:
    """Every step of the run is submitted, each through its Luigi task.

    Luigi logs a task's failure and goes on; here the first one is raised as it was.

    Raises: whatever a task raised; UnreachableError when the scheduler does not answer.
    """
    url = _scheduler_url(scheduler_host)
    failures: list[BaseException] = []
    tasks = make_tasks(run, submitter, failures)
    factory = _Factory()
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
    if failures:
        raise failures[0]
    if not result.scheduling_succeeded:
        raise _silent(url)
    return SchedulerPage(factory.scheduler, factory.worker._id, tasks)


def _scheduler_url(host: str | None) -> str:
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
