"""The door to S3: big files in flat memory, and what is retried."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fetch_and_run.s3_server import BUCKET, ROOT, Bucket

MIB = 2**20
BIG_MIB = 300
PEAK_KIB = 160 * 1024
GENEROUS = {
    "AWS_ACCESS_KEY_ID": "k",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "5",
}
ROLE = b"""{"AccessKeyId": "ROLESKEY", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}"""


class Answers(ThreadingHTTPServer):
    """An S3 that gives one object of zeros, takes any, and stumbles as it is told to."""

    daemon_threads = True

    def __init__(self, size: int, stumbles: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.size = size
        self.stumbles = stumbles
        self.requests: list[str] = []
        self.received: list[int] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            **GENEROUS,
            "PYTHONPATH": str(ROOT),
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.server_port}",
        }


class Answer(BaseHTTPRequestHandler):
    """One request: a stumble if any is left, else the truth."""

    server: Answers
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/role":
            self._answer(200, len(ROLE))
            self.wfile.write(ROLE)
            return
        self.server.requests.append(self.headers.get("Authorization", ""))
        stumble = self.server.stumbles.pop(0) if self.server.stumbles else ""
        if stumble.isdigit():
            self._answer(int(stumble), 0)
        elif stumble == "drop":
            self.close_connection = True
        else:
            self._answer(200, self.server.size)
            for _ in range(self.server.size // MIB):
                self.wfile.write(bytes(MIB))

    def do_PUT(self) -> None:
        self.server.received.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, 0)

    def do_POST(self) -> None:
        """The first and the last call of an upload in parts."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"<R><Bucket>b</Bucket><Key>k</Key><UploadId>1</UploadId><ETag>0</ETag></R>"
        body = body.replace(b"R>", b"InitiateMultipartUploadResult>" if "uploads" in self.path else b"R>")
        if "uploads" not in self.path:
            body = body.replace(b"R>", b"CompleteMultipartUploadResult>")
        self._answer(200, len(body))
        self.wfile.write(body)

    def _answer(self, status: int, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def answers() -> Iterator[Answers]:
    server = Answers(MIB, [])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(code: str, environment: dict[str, str], cwd: Path) -> "subprocess.CompletedProcess[str]":
    program = f"from pathlib import Path\nfrom fetch_and_run import s3\n{code}\n"
    words = [sys.executable, "-c", program]
    return subprocess.run(words, env=environment, cwd=cwd, capture_output=True, text=True, timeout=50)


# Not getrusage: its peak is that of the process before exec too, which is the tests' own.
PRINT_PEAK_KIB = "print([line for line in open('/proc/self/status') if 'VmHWM' in line][0].split()[1])"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process its own peak")
def test_memory_does_not_grow_with_the_size_of_a_file(answers: Answers, tmp_path: Path) -> None:
    answers.size = BIG_MIB * MIB
    code = f"s3.download('s3://b/k', Path('big'))\ns3.upload(Path('big'), 's3://b/k2')\n{PRINT_PEAK_KIB}"
    done = run(code, answers.environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "big").stat().st_size == BIG_MIB * MIB
    assert sum(answers.received) == BIG_MIB * MIB
    assert int(done.stdout) < PEAK_KIB


@pytest.mark.parametrize("stumbles", [["500"], ["503", "503"], ["429"], ["drop"]])
def test_what_passes_by_itself_is_tried_again(answers: Answers, stumbles: list[str], tmp_path: Path) -> None:
    answers.stumbles = [*stumbles]
    done = run("s3.download('s3://b/k', Path('file'))", answers.environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(answers.requests) == len(stumbles) + 1


@pytest.mark.parametrize("status", ["400", "403", "404"])
def test_what_stays_wrong_is_not_tried_again(answers: Answers, status: str, tmp_path: Path) -> None:
    answers.stumbles = [status]
    assert run("s3.download('s3://b/k', Path('file'))", answers.environment, tmp_path).returncode == 1
    assert len(answers.requests) == 1


def test_attempts_are_bounded_as_aws_sdks_bound_them(answers: Answers, tmp_path: Path) -> None:
    answers.stumbles = ["503"] * 9
    environment = {**answers.environment, "AWS_MAX_ATTEMPTS": "3"}
    assert run("s3.read('s3://b/k')", environment, tmp_path).returncode == 1
    assert len(answers.requests) == 3


def test_a_file_in_parts_is_whole_and_has_the_same_etag_again(
    bucket: Bucket, environment: dict[str, str], tmp_path: Path
) -> None:
    content = bytes(range(256)) * (20 * MIB // 256)
    (tmp_path / "file").write_bytes(content)
    code = (
        "print(s3.upload(Path('file'), 's3://lab/a').etag)\nprint(s3.upload(Path('file'), 's3://lab/b').etag)"
    )
    first, second = run(code, environment, tmp_path).stdout.split()
    assert first == second
    assert first.endswith("-3")
    assert hashlib.sha256(bucket.get("a")).digest() == hashlib.sha256(content).digest()


def test_an_empty_file_and_a_short_tail_are_no_special_case(
    bucket: Bucket, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    code = f"""
s3.upload(Path('empty'), 's3://{BUCKET}/empty')
s3.download('s3://{BUCKET}/empty', Path('again'))
s3.write('s3://{BUCKET}/short', b'abc')
empty, short = s3.describe('s3://{BUCKET}/empty'), s3.describe('s3://{BUCKET}/short')
assert s3.read_tail(empty, 28) == b''
assert s3.read_tail(short, 28) == b'abc'
assert s3.read_tail(short, 2) == b'bc'
assert s3.describe('s3://{BUCKET}/absent') is None
"""
    done = run(code, environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again").read_bytes() == b""


CHANGES = {
    "replaced": "s3.write(found.url, b'abd')",
    "removed": "obstore.delete(s3._locate(found.url)[0], 'short')",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("read", ["download_unchanged(found, Path('file'))", "read_tail(found, 2)"])
def test_an_object_that_was_found_is_read_as_it_was_found_or_not_at_all(
    bucket: Bucket, environment: dict[str, str], tmp_path: Path, change: str, read: str
) -> None:
    code = f"""
import obstore
s3.write('s3://{BUCKET}/short', b'abc')
found = s3.describe('s3://{BUCKET}/short')
s3.{read}
{CHANGES[change]}
try:
    s3.{read}
except s3.ChangedError as error:
    print(error)
"""
    done = run(code, environment, tmp_path)
    assert done.stdout == f"s3://{BUCKET}/short is not what it was\n", done.stderr


def test_an_s3_that_knows_no_condition_is_seen_through_by_the_etag(answers: Answers, tmp_path: Path) -> None:
    code = f"s3.download_unchanged(s3.Stored('s3://b/k', '0', {MIB}), Path('file'))"
    assert run(code, answers.environment, tmp_path).returncode == 0
    done = run(code.replace("'0'", "'another'"), answers.environment, tmp_path)
    assert "ChangedError" in done.stderr


def test_a_folder_and_a_whole_bucket_can_be_listed(
    bucket: Bucket, environment: dict[str, str], tmp_path: Path
) -> None:
    for key in ("a/1", "ab/1", "b"):
        bucket.put(key, "x")
    code = f"""
print(*[stored.url for stored in s3.listing('s3://{BUCKET}/a')])
print(*sorted(stored.url for stored in s3.listing('s3://{BUCKET}')))
"""
    done = run(code, environment, tmp_path)
    assert done.stdout.splitlines() == [
        f"s3://{BUCKET}/a/1",
        f"s3://{BUCKET}/a/1 s3://{BUCKET}/ab/1 s3://{BUCKET}/b",
    ]


def test_the_role_of_a_container_is_used_where_no_keys_are(answers: Answers, tmp_path: Path) -> None:
    """As EKS gives it; ECS and EC2 give theirs at addresses of their own, which no test can listen on."""
    told = {name: value for name, value in answers.environment.items() if "_KEY" not in name}
    told["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://127.0.0.1:{answers.server_port}/role"
    told["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(tmp_path / "token")
    (tmp_path / "token").write_text("token")
    done = run("s3.read('s3://b/k')", told, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Credential=ROLESKEY/" in answers.requests[0]
