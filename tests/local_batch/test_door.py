"""Who gets in: signatures, dates, hosts; and what a job is given."""

from __future__ import annotations

import http.client
import json
import stat
from datetime import UTC, datetime, timedelta

import botocore.auth
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.local_batch.conftest import REGION, Local


def send(
    local: Local, headers: dict[str, str], body: bytes = b"{}", path: str = "/v1/describejobqueues"
) -> int:
    """Send a request as it is and return the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", local.server.server_port)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def signed(
    local: Local, *, host: str | None = None, secret: str | None = None, body: bytes = b"{}"
) -> dict[str, str]:
    """Return the headers of a signed request."""
    own = f"127.0.0.1:{local.server.server_port}"
    request = AWSRequest("POST", f"http://{host or own}/v1/describejobqueues", data=body)
    request.headers["Host"] = host or own
    keys = Credentials(local.keys.access_key_id, secret or local.keys.secret_access_key)
    SigV4Auth(keys, "batch", REGION).add_auth(request)
    return dict(request.headers)


def test_a_signed_request_is_answered(quick: Local) -> None:
    assert send(quick, signed(quick)) == 200


def test_an_unsigned_request_gets_403(quick: Local) -> None:
    assert send(quick, {}) == 403
    assert send(quick, {}, path="/local/faults") == 403
    assert send(quick, {}, path="/anything") == 403


def test_a_request_signed_with_another_secret_gets_403(quick: Local) -> None:
    assert send(quick, signed(quick, secret="x" * 40)) == 403


def test_a_request_for_another_host_gets_403(quick: Local) -> None:
    assert send(quick, signed(quick, host="evil.example:80")) == 403
    assert send(quick, {**signed(quick), "Host": "evil.example"}) == 403


def test_a_request_replayed_after_15_minutes_gets_403(quick: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    for minutes, status in ((14, 200), (16, 403), (-16, 403)):
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda then=then: then)
        assert send(quick, signed(quick)) == status


def test_a_request_whose_body_was_changed_gets_403(quick: Local) -> None:
    assert send(quick, signed(quick), body=b'{"maxResults": 1}') == 403


def test_another_key_is_refused_with_aws_own_code(quick: Local) -> None:
    stranger = quick.client("batch", aws_access_key_id="AKIASTRANGER")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.describe_job_queues()


def test_a_job_s_key_does_not_open_batch(quick: Local) -> None:
    keys = quick.home.keyring().jobs
    job = quick.client(
        "batch", aws_access_key_id=keys.access_key_id, aws_secret_access_key=keys.secret_access_key
    )
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        job.describe_job_queues()


def test_no_answer_invites_a_browser_page(quick: Local) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", quick.server.server_port)
    connection.request("OPTIONS", "/v1/submitjob", headers={"Origin": "http://evil.example"})
    answer = connection.getresponse()
    assert answer.status >= 400
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]


def test_the_endpoint_listens_on_loopback_alone(quick: Local) -> None:
    port = quick.server.server_port
    listening = [each for each in psutil.Process().net_connections("inet") if each.laddr.port == port]
    assert {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_the_keys_are_readable_by_their_owner_alone(quick: Local) -> None:
    assert stat.S_IMODE((quick.home.folder / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(quick.home.folder.stat().st_mode) == 0o700
    assert quick.keys.secret_access_key not in repr(quick.keys)


def test_a_job_finds_what_aws_gives_it_and_nothing_of_the_server(
    quick: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_OWN", "secret")
    parent = quick.submit("env | sort", size=2)
    quick.wait(parent)
    names = {line.partition("=")[0] for line in quick.log(f"{parent}:1")}
    of_batch = {
        "JOB_ID",
        "JOB_ATTEMPT",
        "JQ_NAME",
        "CE_NAME",
        "JOB_ARRAY_INDEX",
        "JOB_ARRAY_SIZE",
        "LOCAL_SERVER",
    }
    aws = {
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
    assert names == {f"AWS_BATCH_{name}" for name in of_batch} | aws | {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "PWD",
    }
    assert quick.keys.secret_access_key not in "".join(quick.log(f"{parent}:1"))


def test_no_secret_is_in_a_command_line(local: Local) -> None:
    local.define("slow", linuxParameters={"initProcessEnabled": True})
    job_id = local.submit("sleep 300", jobDefinition="slow")
    local.wait(job_id, "RUNNING")
    lines = "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    keys = local.home.keyring()
    assert keys.user.secret_access_key not in lines
    assert keys.jobs.secret_access_key not in lines
    local.batch.terminate_job(jobId=job_id, reason="seen")
    local.wait(job_id)


def test_a_body_that_is_not_an_object_is_refused(quick: Local) -> None:
    assert send(quick, signed(quick, body=b"[1"), body=b"[1") == 400
    assert send(quick, signed(quick, body=b"[]"), body=b"[]") == 400


def test_members_of_the_wrong_shape_are_refused(quick: Local) -> None:
    for wrong in ({"maxResults": "x"}, {"jobQueues": "x"}, {"unknown": 1}):
        body = json.dumps(wrong).encode()
        assert send(quick, signed(quick, body=body), body=body) == 400


def test_the_caller_s_identity_is_told_as_some_clients_ask_first(quick: Local) -> None:
    identity = quick.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"].startswith("arn:aws:iam::000000000000:")
