"""fetch_and_run as a container's entrypoint: a process that runs what the bucket holds."""

import hashlib
import io
import os
import select
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fetch_and_run.s3_server import BUCKET, ROOT, Bucket

MAIN = ROOT / "fetch_and_run" / "__main__.py"


@dataclass
class Entrypoint:
    """Starts fetch_and_run over what was put into the bucket."""

    bucket: Bucket
    environment: dict[str, str]

    def script(
        self, content: str, *arguments: str, name: str = "job.sh", **extra: str
    ) -> "subprocess.Popen[str]":
        self.bucket.put(f"code/{name}", content)
        told = {"BATCH_FILE_TYPE": "script", "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/{name}"}
        return self.start(*arguments, **{**told, **extra})

    def zip(self, members: Mapping[str, str], *arguments: str, **extra: str) -> "subprocess.Popen[str]":
        self.bucket.put("code/code.zip", zipped(members))
        told = {"BATCH_FILE_TYPE": "zip", "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/code.zip"}
        return self.start(*arguments, **{**told, **extra})

    def start(self, *arguments: str, **extra: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(MAIN), *arguments],
            env={**self.environment, **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left(self) -> list[str]:
        """What is left in the folder for temporary files."""
        return [path.name for path in Path(self.environment["TMPDIR"]).iterdir()]


def zipped(members: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # mode 0600, as a zip made by Python has it
    return content.getvalue()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


def gone(pid: str) -> bool:
    """The process ends within a moment."""
    try:
        process = os.pidfd_open(int(pid))
    except ProcessLookupError:
        return True
    readable, _, _ = select.select([process], [], [], 10)
    os.close(process)
    return bool(readable)


@pytest.fixture
def entrypoint(bucket: Bucket, environment: dict[str, str]) -> Entrypoint:
    del environment["PYTHONPATH"]
    return Entrypoint(bucket, environment)


def test_a_shell_script_runs_with_its_arguments(entrypoint: Entrypoint) -> None:
    process = entrypoint.script('#!/bin/sh\nprintf "%s|" "$@"\n', "a b", "$HOME; `id`", "")
    assert ended(process) == (0, "a b|$HOME; `id`||", "")


def test_the_exit_code_is_passed_on(entrypoint: Entrypoint) -> None:
    assert ended(entrypoint.script("#!/bin/sh\nexit 42\n"))[0] == 42
    assert ended(entrypoint.zip({"job.py": "raise SystemExit(43)"}, "job.py"))[0] == 43


def test_a_program_that_a_signal_ends_gives_128_and_the_signals_number(entrypoint: Entrypoint) -> None:
    assert ended(entrypoint.script("#!/bin/sh\nkill -9 $$\n"))[0] == 137
    assert ended(entrypoint.zip({"job.py": "import os; os.kill(os.getpid(), 11)"}, "job.py"))[0] == 139


def test_a_zip_runs_the_entry_that_is_the_first_argument(entrypoint: Entrypoint) -> None:
    members = {
        "steps/count.py": "import sys, lib.words\nprint(lib.words.COUNT, sys.argv[1:])",
        "lib/words.py": "COUNT = 7",
    }
    assert ended(entrypoint.zip(members, "steps/count.py", "x"))[:2] == (0, "7 ['x']\n")


def test_python_code_finds_its_zip_the_module_beside_it_and_the_s3_door(entrypoint: Entrypoint) -> None:
    code = (
        "import beside, top.inside\nfrom fetch_and_run import s3\nimport os\nprint(os.environ['PYTHONPATH'])"
    )
    done = entrypoint.zip({"a/job.py": code, "a/beside.py": "", "top/inside.py": ""}, "a/job.py")
    exit_code, stdout, _ = ended(done)
    assert exit_code == 0
    zip_root, door = stdout.strip().split(os.pathsep)
    assert zip_root.endswith("/code")
    assert door == str(ROOT)


def test_its_own_files_hide_no_module_of_the_program(entrypoint: Entrypoint) -> None:
    code = "import importlib.util\nprint(importlib.util.find_spec('supervise'))"
    assert ended(entrypoint.zip({"job.py": code}, "job.py"))[:2] == (0, "None\n")


def test_it_starts_as_a_module_too(entrypoint: Entrypoint) -> None:
    entrypoint.bucket.put("code/job.py", "print(__name__, __file__[-7:])")
    done = subprocess.run(
        [sys.executable, "-m", "fetch_and_run"],
        env={
            **entrypoint.environment,
            "BATCH_FILE_TYPE": "script",
            "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/job.py",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "__main__ /job.py\n")


@pytest.mark.parametrize("shebang", ["", "#!/usr/bin/env python3\n"])
def test_a_python_entry_needs_no_x_bit_and_no_python_on_the_path(
    entrypoint: Entrypoint, shebang: str
) -> None:
    done = entrypoint.zip(
        {"job.py": f"{shebang}import obstore, sys\nprint(sys.executable)"}, "job.py", PATH="/nowhere"
    )
    assert ended(done)[:2] == (0, f"{sys.executable}\n")


def test_a_shebang_of_another_interpreter_is_obeyed(entrypoint: Entrypoint) -> None:
    assert ended(entrypoint.zip({"job.py": "#!/bin/sh\necho shell"}, "job.py"))[:2] == (0, "shell\n")


def test_the_right_checksum_lets_the_program_run(entrypoint: Entrypoint) -> None:
    script = "#!/bin/sh\necho ran\n"
    digest = hashlib.sha256(script.encode()).hexdigest().upper()
    assert ended(entrypoint.script(script, BATCH_FILE_SHA256=digest))[:2] == (0, "ran\n")


def test_a_wrong_checksum_stops_before_anything_runs(entrypoint: Entrypoint) -> None:
    exit_code, stdout, stderr = ended(entrypoint.script("#!/bin/sh\necho ran\n", BATCH_FILE_SHA256="0" * 64))
    assert (exit_code, stdout) == (76, "")
    assert "BATCH_FILE_SHA256 is 000" in stderr


@pytest.mark.parametrize("name", ["../evil.sh", "/tmp/evil.sh", "a/../../evil.sh", "..\\evil.sh"])
def test_a_zip_that_leaves_its_folder_is_refused(entrypoint: Entrypoint, name: str) -> None:
    exit_code, _, stderr = ended(entrypoint.zip({"job.sh": "#!/bin/sh\n", name: "x"}, "job.sh"))
    assert exit_code == 65
    assert "would leave the folder" in stderr


def test_a_symlink_in_a_zip_is_refused(entrypoint: Entrypoint) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    entrypoint.bucket.put("code/code.zip", content.getvalue())
    told = {"BATCH_FILE_TYPE": "zip", "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/code.zip"}
    exit_code, _, stderr = ended(entrypoint.start("link/passwd", **told))
    assert exit_code == 65
    assert "neither a file nor a folder" in stderr


def test_a_file_that_is_no_zip_is_refused(entrypoint: Entrypoint) -> None:
    entrypoint.bucket.put("code/cut.zip", zipped({"job.sh": "#!/bin/sh\n" * 100})[:200])
    told = {"BATCH_FILE_TYPE": "zip", "BATCH_FILE_S3_URL": f"s3://{BUCKET}/code/cut.zip"}
    assert ended(entrypoint.start("job.sh", **told))[0] == 65


@pytest.mark.parametrize("entry", ["absent.sh", "../code/job.sh/..", "/bin/sh", ".."])
def test_an_entry_that_the_zip_does_not_hold_is_127(entrypoint: Entrypoint, entry: str) -> None:
    exit_code, _, stderr = ended(entrypoint.zip({"job.sh": "#!/bin/sh\n"}, entry))
    assert exit_code == 127
    assert stderr == f"fetch_and_run: the zip holds no file {entry!r}\n"


def test_a_program_without_a_shebang_is_126(entrypoint: Entrypoint) -> None:
    exit_code, _, stderr = ended(entrypoint.script("echo hello\n"))
    assert exit_code == 126
    assert "first line must be #!" in stderr


def test_an_interpreter_that_is_not_installed_is_named(entrypoint: Entrypoint) -> None:
    exit_code, _, stderr = ended(entrypoint.script("#!/opt/absent/Rscript\n", name="job.R"))
    assert exit_code == 126
    assert "#!/opt/absent/Rscript" in stderr


def test_a_missing_object_is_66(entrypoint: Entrypoint) -> None:
    process = entrypoint.start(BATCH_FILE_TYPE="script", BATCH_FILE_S3_URL=f"s3://{BUCKET}/code/absent.sh")
    assert ended(process) == (66, "", f"fetch_and_run: s3://{BUCKET}/code/absent.sh does not exist\n")


def test_an_s3_that_does_not_answer_is_69(entrypoint: Entrypoint) -> None:
    process = entrypoint.script("#!/bin/sh\n", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    exit_code, _, stderr = ended(process)
    assert exit_code == 69
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({}, "BATCH_FILE_TYPE is not set"),
        ({"BATCH_FILE_TYPE": "tar", "BATCH_FILE_S3_URL": "s3://b/k"}, "must be script or zip"),
        ({"BATCH_FILE_TYPE": "script"}, "BATCH_FILE_S3_URL is not set"),
        ({"BATCH_FILE_TYPE": "script", "BATCH_FILE_S3_URL": "http://b/k"}, "not s3://bucket/key"),
        ({"BATCH_FILE_TYPE": "zip", "BATCH_FILE_S3_URL": "s3://b/k"}, "must name the program"),
    ],
)
def test_wrong_use_is_64_and_one_line(entrypoint: Entrypoint, told: dict[str, str], says: str) -> None:
    exit_code, _, stderr = ended(entrypoint.start(**told))
    assert exit_code == 64
    assert says in stderr
    assert len(stderr.splitlines()) == 1


def test_a_broken_pipe_ends_a_program_quietly_as_in_any_shell(entrypoint: Entrypoint) -> None:
    assert ended(entrypoint.script("#!/bin/sh\nyes | head -n 1\n")) == (0, "y\n", "")


def test_its_folder_is_always_removed(entrypoint: Entrypoint) -> None:
    writes = '#!/bin/sh\ntouch "$TMPDIR/left" && exit 3\n'
    assert ended(entrypoint.script(writes))[0] == 3
    ended(entrypoint.script("#!/bin/sh\nkill -9 $$\n"))
    ended(entrypoint.zip({"../evil": ""}, "x"))
    ended(entrypoint.zip({"job.py": "import tempfile; tempfile.mkdtemp()"}, "job.py"))
    assert entrypoint.left() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_every_process_of_the_program(entrypoint: Entrypoint, number: signal.Signals) -> None:
    """The tool is a child of the script; a shell passes no signal on by itself."""
    tool = "sh -c 'trap \"echo tool; exit\" TERM INT; echo up; sleep 30 & wait'"
    script = f"#!/bin/sh\ntrap 'echo script; exit 7' TERM INT\n{tool}\n"
    process = entrypoint.script(script)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    exit_code, stdout, _ = ended(process)
    assert exit_code == 7
    assert stdout.split() == ["tool", "script"]
    assert entrypoint.left() == []


def test_a_tool_that_takes_no_notice_of_a_signal_is_killed(entrypoint: Entrypoint) -> None:
    tool = "trap '' TERM; echo $$; sleep 1000; sleep 1000"
    process = entrypoint.zip(
        {"job.py": f'import subprocess\nsubprocess.run(["sh", "-c", "{tool}"])'}, "job.py"
    )
    assert process.stdout
    tool_pid = process.stdout.readline().strip()
    process.terminate()
    assert ended(process)[0] == 143
    assert gone(tool_pid)
    assert entrypoint.left() == []


def test_nothing_that_the_program_left_running_outlives_it(entrypoint: Entrypoint) -> None:
    exit_code, stdout, _ = ended(entrypoint.script("#!/bin/sh\nsleep 1000 &\necho $!\n"))
    assert exit_code == 0
    assert gone(stdout.strip())
