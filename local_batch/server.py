"""The front door: HTTP on loopback, every request's signature checked, one answer for each."""

from __future__ import annotations

import json
import logging
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_batch import sts, wire
from local_batch.errors import ApiError, ClientError, ForbiddenError, ServerError, UnavailableError
from local_batch.fault_api import inject
from local_batch.faults import FAULTS_PATH
from local_batch.home import Keys
from local_batch.host import Host
from local_batch.operations import BATCH, LOGS, Operation
from local_batch.sigv4 import Request, Scope, verify

MAX_BODY = 1 << 20
LOOPBACK = "127.0.0.1"
JSON = "application/json"
log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Listens on loopback alone, a thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, host: Host, keys: Keys) -> None:
        super().__init__((LOOPBACK, port), Connection)
        self.host = host
        self.keys = keys

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def answer(self, request: Request, request_id: str) -> tuple[str, bytes]:
        """Return the media type and the body of the answer to one request.

        Raises: ApiError, whose code and text are the answer.
        """
        names = {f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}"}
        if request.headers.get("host") not in names:
            raise ForbiddenError("AccessDeniedException", "This Host is not served here")
        scope = verify(request, self.keys, self.host.clock.now_ms())
        self.host.busy_at = self.host.clock.now_ms()
        if (request.method, request.path) == ("POST", FAULTS_PATH):
            return JSON, json.dumps(inject(self.host, _body(request))).encode()
        if scope.service == "sts":
            return "text/xml", sts.answer(request.body, self.keys, request_id)
        service, name, parameters = _call(request, scope)
        self.host.faults.meet(name)
        operation = (BATCH if service == "batch" else LOGS).get(name)
        if operation is None:
            raise UnavailableError(name)
        wire.check(service, name, parameters)
        return JSON, json.dumps(_run(operation, self.host, scope.region, parameters)).encode()


class Connection(BaseHTTPRequestHandler):
    """One client's connection, kept open between its requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: Server

    def _serve(self) -> None:
        request_id = str(uuid.uuid4())
        try:
            self._reply(200, *self.server.answer(self._request(), request_id), request_id)
        except ApiError as error:
            self._refuse(error, request_id)
        except Exception:  # the top of a connection's thread
            log.exception("request %s failed", request_id)
            self._refuse(ServerError("Internal failure"), request_id)

    do_POST = do_GET = do_DELETE = _serve  # noqa: N815 the names that http.server looks for

    def _request(self) -> Request:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY or "transfer-encoding" in self.headers:
            self.close_connection = True
            raise ClientError("The request's body is too large or of unknown length")
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, query, headers, self.rfile.read(int(length)))

    def _refuse(self, error: ApiError, request_id: str) -> None:
        text = str(error)
        if isinstance(error, ClientError):
            text = f"Error executing request, Exception : {text}, RequestId: {request_id}"
        body = json.dumps({"__type": error.code, "message": text}).encode()
        self._reply(error.status, JSON, body, request_id, error_code=error.code)

    def _reply(
        self, status: int, media_type: str, content: bytes, request_id: str, *, error_code: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-RequestId", request_id)
        if error_code is not None:
            self.send_header("x-amzn-ErrorType", error_code)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no record of requests: they carry what users submit."""

    def version_string(self) -> str:
        """Name the server without its version."""
        return "local_batch"


def _body(request: Request) -> dict[str, Any]:
    try:
        parameters: Any = json.loads(request.body or b"{}")
    except ValueError:
        raise ClientError("The request's body is not JSON") from None
    if not isinstance(parameters, dict):
        raise ClientError("The request's body is not a JSON object")
    return parameters


def _call(request: Request, scope: Scope) -> tuple[str, str, dict[str, Any]]:
    """Return the service, the operation and its parameters."""
    parameters = _body(request)
    target = request.headers.get("x-amz-target", "")
    if scope.service == "logs" and request.path == "/" and target.startswith(wire.LOGS_TARGET):
        name = target.removeprefix(wire.LOGS_TARGET)
        if name in wire.service_model("logs").operation_names:
            return "logs", name, parameters
    elif scope.service == "batch":
        operation = wire.batch_operation(request.method, request.path)
        if operation is not None:
            return "batch", operation, parameters | wire.uri_members(operation, request.path, request.query)
    raise ForbiddenError("UnknownOperationException", "No such operation")


def _run(operation: Operation, host: Host, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
    answer = operation(host, region, {name: value for name, value in parameters.items() if value is not None})
    return {name: value for name, value in answer.items() if value is not None}
