"""Starts, finds and stops this machine's AWS Batch, CloudWatch Logs and S3."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import botocore.session
import psutil

from local_batch import s3_server
from local_batch.errors import EndpointError
from local_batch.home import Home, Keys, keep_own_keys
from local_batch.settings import Settings, machine_memory_mib, machine_vcpus

CHECKOUT = Path(__file__).resolve().parent.parent
QUEUE = "local"
STOP_WITHIN_S = 30
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "DOCKER_HOST", "XDG_RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the local AWS is and the key that opens it."""

    batch_url: str
    logs_url: str
    s3_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    queue: str = QUEUE

    def __repr__(self) -> str:
        return f"Endpoint({self.batch_url!r}, s3={self.s3_url!r}, region={self.region!r})"

    def environment(self) -> dict[str, str]:
        """Return the variables that point any AWS client here."""
        return {
            "AWS_ENDPOINT_URL_BATCH": self.batch_url,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.logs_url,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_ENDPOINT_URL_STS": self.batch_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the endpoint runs, and where."""

    is_running: bool
    home: Path
    pid: int | None = None
    endpoint: Endpoint | None = None
    runner: str = ""


def start(
    *,
    runner: str = "auto",
    vcpus: int | None = None,
    memory_mib: int | None = None,
    idle_s: float | None = None,
) -> Endpoint:
    """Return the endpoint, running and ready: the one that runs, or a new one.

    `runner` is process, container or auto (container where an engine runs and has the job's image). `vcpus` and
    `memory_mib` state the size of the queue `local`; without them it is the machine's. An S3 endpoint is started too,
    unless AWS_ENDPOINT_URL_S3 names one: then that is used, with the keys that the user has for it.

    Raises: EndpointError.
    """
    home = Home.of_user()
    settings = _settings(home, runner=runner, vcpus=vcpus, memory_mib=memory_mib, idle_s=idle_s)
    with _locked(home):
        record = _running(home)
        if record is not None and record["settings"] != asdict(settings):
            _end(home, record)
            record = None
        if record is None:
            _launch(home, settings)
            record = _running(home)
    if record is None:
        raise _no_start(home)
    return _endpoint(home, record)


def stop() -> None:
    """End both servers and all that runs on them; jobs that had not ended are taken up by the next start."""
    home = Home.of_user()
    with _locked(home):
        record = _running(home)
        if record is not None:
            _end(home, record)
        s3 = s3_server.running(home.s3)  # of a server that was killed
        if s3 is not None:
            s3.stop()


def status() -> Status:
    """Return whether the endpoint runs, without starting it."""
    home = Home.of_user()
    record = _running(home)
    if record is None:
        return Status(is_running=False, home=home.folder)
    return Status(
        is_running=True,
        home=home.folder,
        pid=record["pid"],
        endpoint=_endpoint(home, record),
        runner=record["settings"]["runner"],
    )


def _settings(
    home: Home, *, runner: str, vcpus: int | None, memory_mib: int | None, idle_s: float | None
) -> Settings:
    """Return what to start with; what is not stated stays as it is in the endpoint that runs."""
    record = _running(home)
    current = Settings(**record["settings"]) if record is not None else None
    session = botocore.session.get_session()
    s3_url = _users_s3(home, session)
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region") or "us-east-1"
    default = current or Settings(region, machine_vcpus(), machine_memory_mib())
    return Settings(
        region=default.region if current else region,
        vcpus=vcpus or default.vcpus,
        memory_mib=memory_mib or default.memory_mib,
        runner=runner if runner != "auto" else default.runner,
        s3_url=s3_url,
        idle_s=idle_s or default.idle_s,
    )


def _users_s3(home: Home, session: botocore.session.Session) -> str | None:
    """Return the S3 endpoint that the user named, unless it is our own; keep her keys for it."""
    url = os.environ.get("AWS_ENDPOINT_URL_S3")
    ours = s3_server.recorded(home.s3)
    if not url or (ours is not None and url.rstrip("/") == ours.url):
        return None
    credentials = session.get_credentials()
    if credentials is None:
        raise EndpointError(
            "AWS_ENDPOINT_URL_S3 is set and there are no keys for it",
            where=url,
            fix="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or unset AWS_ENDPOINT_URL_S3",
        )
    keep_own_keys(home, Keys(credentials.access_key, credentials.secret_key))
    return url


def _endpoint(home: Home, record: dict[str, Any]) -> Endpoint:
    keys = home.keyring(is_users_own=record["settings"]["s3_url"] is not None).user
    return Endpoint(
        batch_url=record["batch_url"],
        logs_url=record["batch_url"],
        s3_url=record["s3_url"],
        region=record["settings"]["region"],
        access_key_id=keys.access_key_id,
        secret_access_key=keys.secret_access_key,
    )


def _running(home: Home) -> dict[str, Any] | None:
    """Return the record of the server that runs, by its pid and the time at which that began."""
    try:
        record: dict[str, Any] = json.loads(home.endpoint.read_text())
        process = psutil.Process(record["pid"])
        is_same = abs(process.create_time() - record["created"]) < 1
        return record if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def _launch(home: Home, settings: Settings) -> None:
    """Start the server as a process of its own and return when it is ready."""
    ready, told = os.pipe()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with home.log.open("ab") as log, os.fdopen(ready) as answer:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "local_batch.daemon",
                str(home.folder),
                json.dumps(asdict(settings)),
                str(told),
            ],
            env={**environment, "PYTHONPATH": str(CHECKOUT), "MALLOC_ARENA_MAX": "2"},
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[told],
            start_new_session=True,
        )
        os.close(told)
        said = answer.read()
    if not said:
        process.wait()
        raise _no_start(home)
    error = json.loads(said).get("error")
    if error:
        process.wait()
        raise EndpointError(**error)
    process.returncode = 0  # it outlives us: nobody here will wait for it


def _end(home: Home, record: dict[str, Any]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        s3_server.end_process(psutil.Process(record["pid"]), within_s=STOP_WITHIN_S)
    home.endpoint.unlink(missing_ok=True)


def _no_start(home: Home) -> EndpointError:
    return EndpointError(
        "the local AWS Batch did not start",
        where=str(home.log),
        fix="read the end of that log; `python main.py local stop`, then try again",
    )


@contextlib.contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Let one caller at a time start or stop the endpoint of a home."""
    with home.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
