"""What a job finds around it: its variables, its folder and its log."""

from __future__ import annotations

from dataclasses import dataclass

from local_batch.home import Keys
from local_batch.job import Job
from local_batch.launch import SERVER_MARK, Launch
from local_batch.logs import Logs


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
        return Launch(
            task_id=job.task_id,
            command=asked.container["command"],
            environment=self._environment(job),
            container=asked.container,
            vcpus=asked.vcpus,
            memory_mib=asked.memory_mib,
            scratch=f"{scratch}/{job.task_id}",
            log=logs.file(asked.log_group, stream_name(job, job.task_id)),
            is_command_added=asked.is_command_added,
        )

    def _environment(self, job: Job) -> dict[str, str]:
        return {
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


def stream_name(job: Job, task_id: str) -> str:
    """Return the log stream of an attempt."""
    return f"{job.submission.log_prefix}/default/{task_id}"
