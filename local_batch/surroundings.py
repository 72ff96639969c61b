"""What a job finds around it: its environment variables, its command, its folder and its log."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from local_batch.home import Keys
from local_batch.job import ArrayJob, Job, Submission
from local_batch.launch import Launch
from local_batch.logs import Logs
from local_batch.process import SERVER_MARK

CHECKOUT = Path(__file__).resolve().parent.parent
PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
LANG = os.environ.get("LANG", "C.UTF-8")
FETCH_AND_RUN = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('fetch_and_run', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all jobs of one endpoint share."""

    server_id: str
    region: str
    endpoints: dict[str, str]
    job_keys: Keys

    @property
    def instance_id(self) -> str:
        """The EC2 instance id that this machine goes by."""
        return f"i-{self.server_id:0>17}"

    def launch(self, job: Job, scratch: str, logs: Logs) -> Launch:
        """Return one attempt, ready to run."""
        assert job.task_id is not None
        asked = job.submission
        folder = f"{scratch}/{job.task_id}"
        environment = self._environment(job, folder)
        return Launch(
            task_id=job.task_id,
            command=command(asked, environment),
            environment=environment,
            container=asked.container,
            vcpus=asked.vcpus,
            memory_mib=asked.memory_mib,
            scratch=folder,
            log=logs.file(asked.log_group, stream_name(job, job.task_id)),
        )

    def _environment(self, job: Job, folder: str) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": folder,
            "TMPDIR": folder,
            "LANG": LANG,
            "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.job_keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.job_keys.secret_access_key,
            **self.endpoints,
            **{each["name"]: each.get("value", "") for each in job.submission.container["environment"]},
            **self._batch_variables(job),
        }

    def _batch_variables(self, job: Job) -> dict[str, str]:
        # https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
        variables = {
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1),
            "AWS_BATCH_JQ_NAME": job.submission.queue,
            "AWS_BATCH_CE_NAME": job.environment or "",
            SERVER_MARK: self.server_id,
        }
        if job.index is not None:
            variables["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
            variables["AWS_BATCH_JOB_ARRAY_SIZE"] = str(job.submission.size)
        return variables


def command(asked: Submission, environment: dict[str, str]) -> list[str]:
    """Return what a process runs: the command, or fetch_and_run with it where the image's entrypoint would.

    A process has no ENTRYPOINT, so a definition without a command whose environment names a script to fetch is taken
    to be made for the entrypoint that fetches it.
    """
    words: list[str] = asked.container["command"]
    if asked.is_command_added and "BATCH_FILE_S3_URL" in environment:
        return [sys.executable, "-c", FETCH_AND_RUN, str(CHECKOUT), *words]
    return words


def stream_name(job: Job, task_id: str) -> str:
    """Return the log stream of an attempt; an array's parent has none."""
    assert not isinstance(job, ArrayJob)
    return f"{job.submission.log_prefix}/default/{task_id}"
