"""What the command line can do to an endpoint that runs: cause faults, read its events."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_batch.endpoint import Endpoint, status
from local_batch.errors import EndpointError
from local_batch.events import follow_events, read_events
from local_batch.faults import FAULTS_PATH


def fault(name: str, **members: Any) -> dict[str, Any]:
    """Cause a fault at the endpoint that runs, and return what it met; `fault_api` lists names and members.

    Raises: EndpointError.
    """
    endpoint = _running()
    url, body = endpoint.batch_url + FAULTS_PATH, json.dumps({"fault": name, **members}).encode()
    request = AWSRequest("POST", url, data=body)
    credentials = Credentials(endpoint.access_key_id, endpoint.secret_access_key)
    SigV4Auth(credentials, "batch", endpoint.region).add_auth(request)
    sent = urllib.request.Request(url, body, dict(request.headers))
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            met: dict[str, Any] = json.load(answer)
            return met
    except urllib.error.HTTPError as refused:
        text = json.load(refused).get("message", "")
        raise EndpointError(text, where=f"fault {name}", fix="see docs/local-batch.md, Faults") from refused


def events(*, is_followed: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the events of the endpoint's jobs, in EventBridge's form; with `is_followed` those to come too."""
    path = status().home / "events.jsonl"
    return follow_events(path) if is_followed else read_events(path)


def _running() -> Endpoint:
    running = status()
    if running.endpoint is None:
        raise EndpointError(
            "the local AWS Batch is not running", where=str(running.home), fix="start it first"
        )
    return running.endpoint
