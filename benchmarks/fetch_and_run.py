"""What a child costs before its tool starts: fetch_and_run and the steps library against a bare Python, in one run.

    python -m benchmarks.fetch_and_run

Bar: 100 ms over a bare Python for both in all. S3 is a stub on loopback that answers from memory in under a
millisecond, so that what is measured is ours: add four round trips (the zip, the sheet, the marker, the input) of
yours.
"""

import hashlib
import io
import os
import statistics
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from steps.library.contract import Input, Job

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 15
STEP = """
from steps import Child, main

def tell_the_time(child: Child) -> None:
    child.fetch("input", "{sample}.bam")
    child.run("date", "+%s.%N")

main(tell_the_time)
"""
OBJECTS: dict[str, bytes] = {}
NOTHING_LISTED = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


class StubS3(BaseHTTPRequestHandler):
    """GET gives what OBJECTS holds; PUT is taken and forgotten."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = NOTHING_LISTED if "list-type" in self.path else OBJECTS.get(self.path)
        self._answer(404 if body is None else 200, body or b"")

    def do_HEAD(self) -> None:
        body = OBJECTS.get(self.path)
        self._answer(404 if body is None else 200, b"", len(body or b""))

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

    def _answer(self, status: int, body: bytes, size: int | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(body) if size is None else size),
            "ETag": '"0"',
            "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is logged."""


def environment(port: int, code: bytes) -> dict[str, str]:
    """A sample's child of a step, as the client describes it."""
    bucket = "s3://bucket"
    job = Job(
        run=f"{bucket}/run",
        step="date",
        scope="sample",
        rows=f"{bucket}/rows",
        row=0,
        input=f"{bucket}/input",
        reference=f"{bucket}/reference",
        output=f"{bucket}/output",
        after={},
        fingerprint="f",
        columns=(),
        inputs=(Input("input/{sample}.bam"),),
        outputs=(),
        vcpus=1,
        memory_mib=1024,
    )
    return {
        **os.environ,
        **job.to_environment(),
        "BATCH_FILE_TYPE": "zip",
        "BATCH_FILE_S3_URL": f"{bucket}/code.zip",
        "BATCH_FILE_SHA256": hashlib.sha256(code).hexdigest(),
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def zip_of_steps() -> bytes:
    """The steps library, a step that tells when its tool starts, and a shell script that does."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((ROOT / "steps").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
        archive.writestr("steps/date.py", STEP)
        archive.writestr("date.sh", "#!/bin/sh\nexec date +%s.%N\n")
    return content.getvalue()


def until_exit(*arguments: str) -> float:
    """Milliseconds from start to end."""
    started = time.time()
    subprocess.run([sys.executable, *arguments], check=True)
    return 1000 * (time.time() - started)


def until_the_tool(told: dict[str, str], entry: str) -> float:
    """Milliseconds until the tool that fetch_and_run's program runs says what time it is."""
    main = str(ROOT / "fetch_and_run" / "__main__.py")
    started = time.time()
    done = subprocess.run([sys.executable, main, entry], env=told, capture_output=True, text=True, check=True)
    return 1000 * (float(done.stdout + done.stderr) - started)


def main() -> None:
    """The medians are printed, and each as what it costs over the bare Python."""
    code = zip_of_steps()
    OBJECTS.update(
        {"/bucket/code.zip": code, "/bucket/rows/00000.tsv": b"sample\ns1\n", "/bucket/input/s1.bam": b"bam"}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), StubS3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = environment(server.server_port, code)
    measured: dict[str, Callable[[], float]] = {
        "python -c ''": lambda: until_exit("-c", ""),
        "python -c 'import boto3'": lambda: until_exit("-c", "import boto3"),
        "python -c 'import sh'": lambda: until_exit("-c", "import sh"),
        "fetch_and_run, shell script": lambda: until_the_tool(told, "date.sh"),
        "fetch_and_run + steps library": lambda: until_the_tool(told, "steps/date.py"),
    }
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(REPEATS):  # in turns, so that a busy moment falls on all of them
        for name, measure in measured.items():
            times[name].append(measure())
    server.shutdown()
    bare = statistics.median(times["python -c ''"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:<30} {median:6.0f} ms  {median - bare:+6.0f} ms  {median / bare:5.1f} × a bare Python")


if __name__ == "__main__":
    main()
