"""A door before S3: a share of connections gets 503 SlowDown, as from S3 under load, the rest is passed on."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import socketserver
import threading
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
WAIT_S = 1.0
BODY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


class SlowS3(socketserver.ThreadingTCPServer):
    """Listens on loopback before the S3 endpoint of this URL until it is closed."""

    daemon_threads = True

    def __init__(self, s3_url: str, share: float, seed: int = 0) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        target = urlsplit(s3_url)
        self.target = (target.hostname or LOOPBACK, target.port or 80)
        self._share = share
        self._random = random.Random(seed)
        threading.Thread(target=self.serve_forever, name="slow-s3", daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def is_slow(self) -> bool:
        """True for a share of the connections."""
        return self._random.random() < self._share

    def close(self) -> None:
        """Let nobody else in."""
        self.shutdown()
        self.server_close()


class _Connection(socketserver.StreamRequestHandler):
    server: SlowS3

    def handle(self) -> None:
        """Refuse the connection's first request, or pass all of them on."""
        with contextlib.suppress(OSError):
            if self.server.is_slow():
                self._refuse()
            else:
                self._pass_on()

    def _refuse(self) -> None:
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        self.wfile.write(SLOW_DOWN)
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(WAIT_S)
        while self.rfile.read(1 << 16):  # to close on unread data would take the answer back
            pass

    def _pass_on(self) -> None:
        with socket.create_connection(self.server.target) as s3, s3.makefile("rwb", buffering=0) as there:
            back = threading.Thread(target=_copy, args=(there, self.wfile, self.connection), daemon=True)
            back.start()
            _copy(self.connection.makefile("rb", buffering=0), there, s3)
            back.join()


def _copy(source: Any, target: Any, receiver: socket.socket) -> None:
    with contextlib.suppress(OSError):
        shutil.copyfileobj(source, target, 1 << 16)
        receiver.shutdown(socket.SHUT_WR)
