"""What the tests would not notice: small faults are put into the pure modules, and those that no test sees are shown.

    python -m benchmarks.mutation [--all] [--seed N] [MODULE …]      MODULE as pipeline/model/sheet.py, or a folder

Each module is tried with only the tests that are about it. Of its mutants a sample of fixed seed is run, or --all.
Bar: 95 % of each module's are noticed; exit 1 below.

The faults are mutmut's (https://mutmut.readthedocs.io): arguments dropped or None, comparisons, `not`, `and`/`or`,
constants, text, assigned values, branches of a ternary. It leaves out what stands outside functions, and properties.
Left out here: the words of messages, which tests quote where they matter, and what mutation_equivalent.toml judges to
make no difference. Everything happens in a copy of the project, never in the project itself.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BAR = 0.95
SEED = 1
SAMPLE = 80  # mutants a module
AT_ONCE = 2
MODULE_TIMEOUT_S = 900
COPIED = ("pipeline", "steps", "fetch_and_run", "local_batch", "tests", "main.py", "pyproject.toml")
EQUIVALENT = Path(__file__).with_name("mutation_equivalent.toml")
NOT_NOTICED = {0: "survived", 33: "no test runs it"}  # mutmut's codes; None: it was not reached in time
LITERAL = re.compile(r'"[^"\n]*"')

CHECK = "tests/pipeline/model/test_check.py"
PLAN = ("tests/pipeline/plan/test_plan.py", "tests/pipeline/plan/test_plan_by_running.py")
TESTS: dict[str, Sequence[str]] = {
    "pipeline/model/check.py": (CHECK,),
    "pipeline/model/entry.py": ("tests/pipeline/model/test_entry.py",),
    "pipeline/model/layout.py": ("tests/pipeline/model/test_layout.py",),
    "pipeline/model/pipeline.py": ("tests/pipeline/model/test_pipeline.py", CHECK),
    "pipeline/model/run.py": ("tests/pipeline/model/test_run.py",),
    "pipeline/model/sheet.py": ("tests/pipeline/model/test_sheet.py",),
    "pipeline/plan/code.py": ("tests/pipeline/plan/test_code.py",),
    "pipeline/plan/fingerprint.py": ("tests/pipeline/plan/test_fingerprint.py",),
    "pipeline/plan/plan.py": PLAN,
    "pipeline/plan/scripts.py": ("tests/pipeline/plan/test_scripts.py",),
    "pipeline/submit/definition.py": ("tests/pipeline/submit/test_definition.py",),
    "pipeline/submit/differences.py": ("tests/pipeline/submit/test_differences.py",),
    "pipeline/submit/jobs.py": ("tests/pipeline/submit/test_jobs.py",),
    "pipeline/follow/causes.py": ("tests/pipeline/follow/test_causes.py",),
    "pipeline/follow/document.py": ("tests/pipeline/follow/test_document.py",),
    "pipeline/follow/progress.py": ("tests/pipeline/follow/test_progress.py",),
    "pipeline/follow/survey.py": ("tests/pipeline/follow/test_survey.py",),
    "steps/library/contract.py": ("tests/steps/test_contract.py",),
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the line of the module that it is in, as it was and as it becomes."""

    name: str  # mutmut's
    line: int
    was: str
    becomes: str

    @property
    def is_of_words(self) -> bool:
        """Whether it changes the words of a message, and nothing else."""
        changed = set(LITERAL.findall(self.was)) - set(LITERAL.findall(self.becomes))
        plain = self.becomes.replace("XX", "").casefold()
        return plain == self.was.casefold() and any(" " in text for text in changed)


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of a module, but for words and for those that make no difference."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    source = (ROOT / module).read_text()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("setup.cfg").write_text(
            "[mutmut]\nsource_paths=.\n"
        )  # else it is guessed from the folder's name
        mutated = mutate_file_contents(module, source)
    lines = mutated.code.splitlines()
    bodies = {
        name: lines[span.start - 1 : span.end] for name, span in mutated.line_span_by_function_name.items()
    }
    known = {(one["was"], one["becomes"]) for one in _equivalent(module)}
    found = [_mutant(module, source, name, bodies) for name in mutated.mutant_names]
    return [one for one in found if not one.is_of_words and (one.was, one.becomes) not in known]


def _equivalent(module: str) -> list[dict[str, str]]:
    told = tomllib.loads(EQUIVALENT.read_text())
    return [one for one in told["equivalent"] if one["module"] == module]


def _mutant(module: str, source: str, name: str, bodies: dict[str, list[str]]) -> Mutant:
    mangled = name.rpartition("__mutmut_")[0]
    function = re.split("ǁ|^x_", mangled)[-1]
    was = [line.replace(f"{mangled}__mutmut_orig", function) for line in bodies[f"{mangled}__mutmut_orig"]]
    becomes = [line.replace(name, function) for line in bodies[name]]
    matcher = difflib.SequenceMatcher(None, was, becomes, autojunk=False)
    _, first, last, new_first, new_last = next(code for code in matcher.get_opcodes() if code[0] != "equal")
    line = _line_of(source, was) + first
    dotted = module.removesuffix(".py").replace("/", ".")
    return Mutant(f"{dotted}.{name}", line, _joined(was[first:last]), _joined(becomes[new_first:new_last]))


def _line_of(source: str, function: list[str]) -> int:
    """The line on which the first of these lines stands."""
    text = "\n".join(function).rstrip()
    return source[: max(source.find(text), 0)].count("\n") + 1


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def try_module(module: str, mutants: Sequence[Mutant]) -> dict[str, str]:
    """How each mutant that no test noticed got away, by its name. Raises: RuntimeError where none ran."""
    with tempfile.TemporaryDirectory(prefix="mutation.") as folder:
        _copy(Path(folder), module)
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(AT_ONCE)]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [*command, *(one.name for one in mutants)],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its workers end with it
            )
            try:
                process.wait(MODULE_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        results = Path(folder) / "mutants" / f"{module}.meta"
        codes = json.loads(results.read_text())["exit_code_by_key"] if results.exists() else {}
        if not any(codes.get(one.name) is not None for one in mutants):
            raise RuntimeError((Path(folder) / "log").read_text()[-3000:])
    return dict(_not_noticed(mutants, codes))


def _not_noticed(mutants: Sequence[Mutant], codes: dict[str, int | None]) -> Iterator[tuple[str, str]]:
    for one in mutants:
        code = codes.get(one.name)
        if code is None or code in NOT_NOTICED:
            yield one.name, "not reached in time" if code is None else NOT_NOTICED[code]


def _copy(folder: Path, module: str) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    room = module.partition("/")[0]
    others = "\n  ".join(name for name in COPIED if name not in (room, "tests"))
    tests = "\n  ".join(TESTS[module])
    (folder / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths=\n  {room}\nonly_mutate=\n  {module}\nalso_copy=\n  {others}\n"
        f"pytest_add_cli_args_test_selection=\n  {tests}\n"
        "pytest_add_cli_args=\n  -p\n  no:xdist\n  -p\n  no:cacheprovider\nuse_git_change_detection=false\n"
    )


def judge(module: str, options: argparse.Namespace) -> bool:
    """Whether enough of the module's mutants were noticed; those that were not are shown."""
    every = mutants_of(module)
    if not every:
        print(f"{module}: no mutants", flush=True)
        return True
    tried = every
    if not options.all and len(every) > SAMPLE:
        tried = random.Random(options.seed).sample(every, SAMPLE)
    survivors = try_module(module, tried)
    share = 1 - len(survivors) / len(tried)
    print(f"{module}: {share:.0%} of {len(tried)} noticed ({len(every)} in all)", flush=True)
    for one in sorted(tried, key=lambda one: one.line):
        if one.name in survivors:
            print(
                f"  {module}:{one.line}  {survivors[one.name]}\n    - {one.was}\n    + {one.becomes}",
                flush=True,
            )
    return share >= BAR


def main() -> int:
    """0 when every module reaches the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=list(TESTS))
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--seed", type=int, default=SEED, help="which sample")
    options = parser.parse_args()
    chosen = [module for module in TESTS if module.startswith(tuple(options.modules))]
    good = [judge(module, options) for module in chosen]  # every one is shown
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
