"""The endpoint's process: starts S3, takes up its jobs, serves, and ends when told to or when idle."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import psutil

from local_batch import s3_server
from local_batch.assembly import assemble
from local_batch.clock import Clock
from local_batch.errors import EndpointError
from local_batch.home import Home, Keyring, write_private
from local_batch.host import Host
from local_batch.server import LOOPBACK, Server
from local_batch.settings import Settings

IDLE_CHECK_S = 30.0


def main(home_folder: str, settings_json: str, ready_fd: str) -> int:
    """Serve until stopped; say on `ready_fd` when that has begun, or why it cannot."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    home, settings = Home(Path(home_folder)), Settings(**json.loads(settings_json))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with os.fdopen(int(ready_fd), "w") as ready:
        try:
            server, s3 = _open(home, settings)
        except EndpointError as error:
            ready.write(json.dumps({"error": error.parts}))
            return 1
        ready.write(json.dumps({}))
    _serve(home, server, s3, settings, stopped)
    return 0


def _open(home: Home, settings: Settings) -> tuple[Server, s3_server.S3Server | None]:
    keys = home.keyring(is_users_own=settings.s3_url is not None)
    s3 = s3_server.start(home.s3, keys) if settings.with_s3 and settings.s3_url is None else None
    server = _listen(home, settings, keys, s3.url if s3 else settings.s3_url)
    server.host.open()
    record = {
        "pid": os.getpid(),
        "created": psutil.Process().create_time(),
        "batch_url": server.url,
        "s3_url": s3.url if s3 else settings.s3_url or "",
        "settings": asdict(settings),
    }
    write_private(home.endpoint, record)
    return server, s3


def _listen(home: Home, settings: Settings, keys: Keyring, s3_url: str | None) -> Server:
    """Return the server on the port it had before, when that is free."""
    kept = home.folder / "port"
    port = _free_port(int(kept.read_text()) if kept.exists() else 0)
    kept.write_text(str(port))
    url = f"http://{LOOPBACK}:{port}"
    services = ("BATCH", "CLOUDWATCH_LOGS", "STS")
    endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service in services}
    if s3_url:
        endpoints["AWS_ENDPOINT_URL_S3"] = s3_url
    host = assemble(home, settings, keys, clock=Clock(), endpoints=endpoints)
    return Server(port, host, keys.user)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _serve(
    home: Home,
    server: Server,
    s3: s3_server.S3Server | None,
    settings: Settings,
    stopped: threading.Event,
) -> None:
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    while not stopped.wait(min(IDLE_CHECK_S, settings.idle_s)):
        server.host.forget_old()
        if _is_idle(server.host, s3, settings.idle_s):
            break
    home.endpoint.unlink(missing_ok=True)
    server.shutdown()
    server.host.close()
    if s3 is not None:
        s3.stop()


def _is_idle(host: Host, s3: s3_server.S3Server | None, idle_s: float) -> bool:
    """True when nothing runs, nobody has called for that long and nobody is talking to S3."""
    with host.lock:
        is_quiet = host.running == 0 and host.clock.now_ms() - host.busy_at > idle_s * 1000
    return is_quiet and not (s3 is not None and s3.is_in_use())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
