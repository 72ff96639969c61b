"""A tool's output, exit code and end, as a child tells them."""

import json
import sys
from pathlib import Path

import pytest

from steps.library import tool
from steps.library.failure import ToolError


@pytest.fixture(autouse=True)
def _in_a_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def failure(*words: str) -> ToolError:
    with pytest.raises(ToolError) as caught:
        tool.run(*words)
    return caught.value


def test_arguments_reach_the_tool_as_they_are() -> None:
    hostile = ["a b", "'", '"', "; touch evil", "$(id)", "*", "-n", "ü", ""]
    tool.run(sys.executable, "-c", "import json, sys; json.dump(sys.argv[1:], open('seen', 'w'))", *hostile)
    assert json.loads(Path("seen").read_text()) == hostile


def test_options_are_long_options() -> None:
    tool.run("sh", "-c", 'echo "$1" > seen', "sh", threads=2)
    assert Path("seen").read_text() == "--threads=2\n"


def test_what_it_says_goes_to_the_log_and_into_its_file(capfd: pytest.CaptureFixture[str]) -> None:
    tool.run("sh", "-c", "echo out; echo err >&2", log="tool.log")
    assert sorted(Path("tool.log").read_text().split()) == ["err", "out"]
    assert sorted(capfd.readouterr().err.split()) == ["err", "out"]


def test_its_output_can_be_kept_and_its_input_given() -> None:
    tool.run("tr", "a-z", "A-Z", _in="hello", _out="shout.txt")
    assert Path("shout.txt").read_text() == "HELLO"


def test_a_broken_pipe_ends_a_program_quietly_as_in_any_shell() -> None:
    tool.run("sh", "-c", "yes | head -n 1", log="tool.log")
    assert Path("tool.log").read_text() == "y\n"


def test_it_is_given_no_input_and_no_terminal() -> None:
    tool.run("sh", "-c", "cat > stdin; [ ! -t 1 ]")
    assert Path("stdin").read_text() == ""


def test_its_exit_code_and_last_words_are_the_failure() -> None:
    error = failure("sh", "-c", "echo first; echo; echo zero reads pseudoaligned >&2; exit 3")
    assert (error.exit_code, error.reason) == (3, "sh exited with 3: zero reads pseudoaligned")


def test_a_kill_is_137_and_likely_the_memory() -> None:
    error = failure("sh", "-c", "kill -9 $$")
    assert error.exit_code == 137
    assert "memory" in error.reason


def test_an_abort_is_128_and_its_signal() -> None:
    assert failure("sh", "-c", "kill -6 $$").exit_code == 134


def test_a_tool_that_is_not_installed_is_127() -> None:
    assert failure("no-such-tool").reason == "no-such-tool is not installed in this image"


def test_a_program_without_a_shebang_is_126(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("echo hello\n")
    program.chmod(0o755)
    assert failure(str(program)).exit_code == 126


def test_bytes_that_are_no_text_do_no_harm() -> None:
    tool.run("printf", r"\377\n")
