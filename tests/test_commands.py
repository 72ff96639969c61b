"""Every command that the product, its README or a page of its docs prints is one that works as it is printed."""

from __future__ import annotations

import ast
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_batch import endpoint
from pipeline.cli.main import VERBS, parse
from pipeline.cloud.session import Cloud
from pipeline.images.resolve import on_this_machine
from tests.acceptance.command import ROOT, TYPED, Answer, end, run, run_line
from tests.acceptance.conftest import bucket, cloud, folder, gate, lab, no_faults
from tests.acceptance.lab import HOSTILE, Lab, wait_for_child, wait_for_end
from tests.waiting import wait_until

__all__ = ["bucket", "cloud", "folder", "gate", "lab", "no_faults"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("pipeline", "examples", "local_batch")
SOURCES = [
    file
    for file in (
        ROOT / "main.py",
        *(file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))),
    )
    if TYPED in file.read_text()
]

FILLED_IN = "X"

# ── all of them, as the parser takes them


def typed_in(text: str) -> list[str]:
    """The words after `python main.py` of each command in a text: to its closing quote, a comment or its line's end."""
    quoted = [" ".join(words.split()) for words in re.findall(rf"`{TYPED}\s([^`]+)`", text)]
    rest = re.sub(r"`[^`]*`", "", text)
    return [
        *quoted,
        *(words.strip() for words in re.findall(rf"{TYPED} (.+?)(?=  |\)|, |$)", rest, re.MULTILINE)),
    ]


def is_a_pattern(words: str) -> bool:
    """Whether the words stand for others, or all of them are filled in."""
    return words == FILLED_IN or any(part in words for part in ("…", "|", "MEMBER"))


def is_taken(words: str) -> bool:
    """Whether the real parser takes the words; --help is answered by leaving."""
    split = shlex.split(words)
    try:
        parse(split if split[0] in {*VERBS, "-h", "--help"} else ["run", *split])
    except SystemExit as left:
        return left.code == 0
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one_that_the_parser_takes(page: Path) -> None:
    commands = [words for words in typed_in(page.read_text()) if not is_a_pattern(words)]
    assert [words for words in commands if not is_taken(words)] == []


def texts_of(file: Path) -> Iterator[str]:
    """The texts of a source file, with a word for all that they fill in."""
    tree = ast.parse(file.read_text())
    filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {part for node in filled for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            words = [part.value if isinstance(part, ast.Constant) else FILLED_IN for part in node.values]
            yield "".join(map(str, words))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_command_that_the_source_names_is_one_that_the_parser_takes(file: Path) -> None:
    commands = {words for text in texts_of(file) for words in typed_in(text) if not is_a_pattern(words)}
    completed_elsewhere = {words for words in commands if is_taken(f"{words} s3://X")}
    assert [words for words in commands - completed_elsewhere if not is_taken(words)] == []


def test_the_check_sees_a_verb_a_flag_and_a_word_too_many() -> None:
    for wrong in ("statsu RUN", "status RUN --jsno", "status RUN to see it", "status"):
        [words] = typed_in(f"fix: {TYPED} {wrong}")
        assert not is_taken(words)


# ── those that a command prints, run as they are printed


def commands(answer: Answer) -> list[str]:
    """What the answer's lines say to type, from `python main.py` to the end of the line."""
    lines = f"{answer.stdout}\n{answer.stderr}".splitlines()
    return [line[line.index(TYPED) :] for line in lines if TYPED in line]


def command(answer: Answer, verb: str) -> str:
    """The one command of that verb."""
    [found] = [line for line in commands(answer) if line.startswith(f"{TYPED} {verb} ")]
    return found


@pytest.fixture
def open_run(lab: Lab, gate: Path) -> Iterator[str]:
    """A run of which the second step waits at the gate."""
    lab.bring("s1", "s2")
    yield lab.detach()
    gate.unlink(missing_ok=True)


@pytest.fixture
def elsewhere(own_state: Path) -> Iterator[None]:
    """This machine remembers no run, as a machine does not from which none was started."""
    known = own_state / "runs.jsonl"
    aside = known.rename(own_state / "runs.aside")
    yield
    aside.rename(known)


def test_what_a_detached_run_prints_shows_it_stops_it_and_tells_how_it_ended(lab: Lab, gate: Path) -> None:
    lab.bring("s1", "s2")
    answer = lab.run("--detach")
    shown = run_line(command(answer, "status"))
    assert (shown.exit_code, "RUNNING" in shown.stdout) == (0, True)
    stopped = run_line(command(answer, "cancel"))
    assert (stopped.exit_code, "were told to stop" in stopped.stderr) == (0, True)
    again = run_line(command(stopped, "status"))
    assert again.exit_code == 0
    closed = run_line(command(answer, "resume"))
    assert (closed.exit_code, "CANCELLED" in closed.stdout) == (5, True)
    assert run_line(commands(closed)[-1]).exit_code == 0


def test_what_an_interrupted_client_prints_comes_back_to_the_run(lab: Lab, gate: Path) -> None:
    lab.bring("s1", "s2")
    client = lab.start()
    wait_until(lambda: lab.runs() and "running" in run("status", lab.only_run()).stdout)
    client.send_signal(signal.SIGINT)
    answer = end(client)
    assert answer.exit_code == 130
    gate.unlink()
    ended = run_line(command(answer, "resume"))
    assert (ended.exit_code, "SUCCEEDED" in ended.stdout) == (0, True)
    shown = run_line(command(ended, "status"))
    assert '"state": "SUCCEEDED"' in shown.stdout


def test_what_status_prints_of_a_run_that_ended_without_its_client_closes_it(
    lab: Lab, open_run: str, gate: Path
) -> None:
    gate.unlink()
    wait_for_end(open_run)
    closed = run_line(command(run("status", open_run), "resume"))
    assert (closed.exit_code, "SUCCEEDED" in closed.stdout) == (0, True)
    assert lab.bucket.has(f"runs/{open_run}/summary.json")


@pytest.mark.parametrize("name", HOSTILE)
def test_the_log_of_a_failed_sample_is_shown_whatever_its_name(lab: Lab, name: str) -> None:
    (lab.folder / "count.sh").write_text('#!/bin/sh\necho "cannot count $SAMPLE"\nexit 3\n')
    lab.bring(name)
    failed = lab.run()
    assert failed.exit_code == 5
    shown = run_line(command(failed, "logs"))
    assert shown.exit_code == 0, shown.stderr
    assert f"cannot count {name}" in shown.stdout


def test_the_log_of_a_failed_step_of_the_whole_run_is_shown(lab: Lab) -> None:
    (lab.folder / "table.sh").write_text("#!/bin/sh\necho no table today\nexit 3\n")
    lab.bring("s1", "s2")
    shown = run_line(command(lab.run(), "logs"))
    assert (shown.exit_code, "no table today" in shown.stdout) == (0, True)


def test_where_nothing_that_failed_has_a_log_another_command_is_printed(lab: Lab, no_faults: None) -> None:
    lab.bring("s1", "s2")
    image = on_this_machine(["base"])["base"]
    assert run("local", "fault", "image-pull", f"image={image}").exit_code == 0
    failed = lab.run()
    assert failed.exit_code == 5
    shown = run_line(command(failed, "status"))
    assert (shown.exit_code, "CannotPullContainerError" in shown.stdout) == (0, True)


def test_what_is_printed_of_a_run_of_another_machine_works_on_this_one(
    lab: Lab, open_run: str, gate: Path, elsewhere: None
) -> None:
    shown = run("status", lab.uri(open_run), "--queue", "local")
    again = run_line(command(shown, "status"))
    assert (again.exit_code, "RUNNING" in again.stdout) == (0, True)
    gate.unlink()
    ended = run_line(command(shown, "resume"))
    assert (ended.exit_code, "SUCCEEDED" in ended.stdout) == (0, True)
    assert run_line(command(ended, "status")).exit_code == 0


def test_what_is_printed_of_a_run_that_another_machine_started_works_on_the_one_that_follows_it(
    lab: Lab, open_run: str, elsewhere: None
) -> None:
    followed = lab.run("--detach")
    assert lab.only_run() == open_run
    shown = run_line(command(followed, "status"))
    assert (shown.exit_code, "RUNNING" in shown.stdout) == (0, True)
    assert run_line(command(followed, "cancel")).exit_code == 0


def test_a_client_whose_run_is_cancelled_under_it_says_how_to_see_what_it_did(
    lab: Lab, no_faults: None
) -> None:
    lab.bring("s1", "s2")
    run("local", "fault", "throttle", "share=1.0", "operations=SubmitJob")
    client = lab.start()
    wait_until(lambda: lab.runs() and lab.bucket.has(f"runs/{lab.only_run()}/turns/00002.json"))
    run_id = lab.only_run()
    assert run("cancel", run_id).exit_code == 0
    run("local", "fault", "clear")
    answer = end(client)
    assert answer.exit_code == 3
    shown = run_line(command(answer, "status"))
    assert (shown.exit_code, "CANCELLED" in shown.stdout) == (0, True)


def test_a_sample_that_has_no_log_is_explained_by_the_command_that_is_printed(
    lab: Lab, open_run: str
) -> None:
    wait_for_child(open_run)
    answer = run("logs", open_run, "s1", "table")
    assert answer.exit_code == 2
    assert run_line(command(answer, "status")).exit_code == 0


def test_a_run_that_there_is_not_is_answered_by_a_list_of_those_there_are(lab: Lab, open_run: str) -> None:
    answer = run("status", lab.uri("no-such-run"), "--queue", "local")
    assert answer.exit_code == 2
    listed = run_line(command(answer, "list"))
    assert (listed.exit_code, open_run in listed.stdout) == (0, True)


def test_a_bucket_that_there_is_not_is_made_as_the_message_says(lab: Lab, tmp_path: Path) -> None:
    lab.bring("s1", "s2")
    texts = tmp_path / "texts"
    texts.mkdir()
    answer = run(*lab.words(), "--bucket-name", f"{lab.name}-new")
    assert answer.exit_code == 2
    line = command(answer, "local")
    assert run_line(line.replace("FOLDER", shlex.quote(str(texts)))).exit_code == 0
    assert "does not exist" not in run(*lab.words(), "--bucket-name", f"{lab.name}-new").stderr


def test_what_local_start_prints_points_a_shell_at_the_endpoint(cloud: Cloud) -> None:
    answer = run("local", "start")
    [line] = [line for line in answer.stderr.splitlines() if TYPED in line]
    shown = run_line(line.partition("next: ")[2].partition("    #")[0] + '\necho "$AWS_ENDPOINT_URL_BATCH"')
    here = endpoint.status().endpoint
    assert here is not None
    assert (shown.exit_code, shown.stdout.strip()) == (0, here.batch_url)
    assert run_line(line.partition("next: ")[2]).exit_code == 0


def test_the_help_that_help_names_is_there() -> None:
    assert run_line(command(run("--help"), "run")).exit_code == 0


# ── those of README and the examples that this machine can run


def block_with(text: str, words: str) -> list[str]:
    """The indented lines of the block of a page that holds these words."""
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    [block] = [block for block in blocks if words in block]
    return [line.strip() for line in block.splitlines()]


def test_the_three_lines_of_readme_for_this_machine_run_as_they_are(cloud: Cloud, tmp_path: Path) -> None:
    from examples.fusion_demo.make import make

    upload, start, env = block_with((ROOT / "README.md").read_text(), "local upload my_folder")
    made = tmp_path / "made"
    make(made, samples=2)
    (made / "input").rename(tmp_path / "my_folder")
    (made / "samples.txt").rename(tmp_path / "samples.txt")
    assert run("local", "upload", made / "reference", "s3://lab/reference/hg38").exit_code == 0
    assert run_line(upload, tmp_path).exit_code == 0
    done = run_line(start, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "pizzly" in done.stdout
    assert run_line(env, tmp_path).exit_code == 0


def test_the_pipeline_of_readme_runs_by_the_command_under_it(cloud: Cloud, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    [example] = re.findall(r"```python\n(# my_pipeline.py.*?)```", readme, re.DOTALL)
    (tmp_path / "my_pipeline.py").write_text(example)
    (tmp_path / "trim.sh").write_text("#!/bin/sh\nhead -n 2 input/sample.fq > trimmed.fq\n")
    (tmp_path / "count.R").write_text("#!/bin/sh\nwc -l < trim/trimmed.fq > counts.tsv\n")
    (tmp_path / "report.py").write_text(
        "from pathlib import Path\n"
        "rows = [file.read_text() for file in sorted(Path('count').glob('*/counts.tsv'))]\n"
        "Path('report.tsv').write_text(''.join(rows))\n"
    )
    (tmp_path / "samples.txt").write_text("r1\nr2\n")
    (tmp_path / "fq").mkdir()
    for name in ("r1", "r2"):
        (tmp_path / f"fq/{name}.fq").write_text("@r\nACGT\n+\nIIII\n")
    assert run("local", "upload", tmp_path / "fq", "s3://lab/input").exit_code == 0
    [line] = [
        line for line in re.findall(rf"^    ({TYPED} .*)$", readme, re.MULTILINE) if "my_pipeline.py" in line
    ]
    done = run_line(line, tmp_path)
    assert done.exit_code == 0, done.stderr


def test_the_commands_at_the_head_of_the_shell_example_run_as_they_are(cloud: Cloud, tmp_path: Path) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "examples/shell/pipeline.py").read_text())) or ""
    lines = [line for line in docstring.splitlines() if line.startswith((TYPED, "ls "))]
    assert len(lines) == 3
    (tmp_path / "TEXTS").mkdir()
    (tmp_path / "TEXTS/rose.txt").write_text("a rose is a rose\n")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line in lines:
        done = run_line(line, tmp_path)
        assert done.exit_code == 0, f"{line}: {done.stderr}"
