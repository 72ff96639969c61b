"""One random history: edits, runs, kills and commands at once, and at the end the comparison with a fresh execution."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.api import runs
from pipeline.api.place import OpenRun, Place, open_run
from pipeline.cloud.bucket import Bucket
from pipeline.errors import InputError, PipelineError, RefusedError
from pipeline.model.layout import Layout
from pipeline.submit import claims
from tests.histories.clients import Command, Killed, end_of
from tests.histories.study import Part, Study

MOST_CALLS = 60  # of a client before it dies
ROUNDS = 12  # of the same command, until nothing is left to do
_numbers = itertools.count(1)


class WrongResultError(AssertionError):
    """A published file is not what a fresh execution gives."""


def random_study(choose: random.Random, name: str) -> Study:
    """Two to five steps of every kind over two to four samples."""
    parts = [Part("first", has_input=True, is_library=choose.random() < 0.4)]
    if choose.random() < 0.4:
        parts.insert(0, Part("ref", per="reference"))
    for number in range(choose.randint(1, 3)):
        per = choose.choice(["sample", "sample", "run"])
        candidates = [part.name for part in parts]
        reads = choose.sample(candidates, choose.randint(1, min(2, len(candidates))))
        parts.append(
            Part(
                f"step{number}",
                per=per,
                reads=[name for name in candidates if name in reads],
                has_input=choose.random() < 0.3,
                has_lane=choose.random() < 0.3,
                is_library=choose.random() < 0.4,
            )
        )
    study = Study(name, parts, {}, {})
    for _ in range(choose.randint(2, 4)):
        add_sample(choose, study)
    return study


def add_sample(choose: random.Random, study: Study) -> None:
    name = next(f"s{number}" for number in itertools.count() if f"s{number}" not in study.samples)
    study.samples[name] = {"lane": str(choose.randint(1, 3)), "note": "x"}
    study.inputs.setdefault(name, f"reads of {name}\n")


def drop_sample(choose: random.Random, study: Study) -> None:
    if len(study.samples) > 1:
        del study.samples[choose.choice(list(study.samples))]


def edit_input(choose: random.Random, study: Study) -> None:
    study.inputs[choose.choice(list(study.samples))] = f"reads {choose.randint(1, 3)}\n"


def edit_column(choose: random.Random, study: Study) -> None:
    study.samples[choose.choice(list(study.samples))][choose.choice(["lane", "note"])] = str(
        choose.randint(1, 3)
    )


def edit_part(choose: random.Random, study: Study) -> None:
    """A script, a parameter, an imported module, an image or a column of a step; often back to what it was."""
    part = choose.choice(study.parts)
    name = choose.choice(["version", "k", "word", "image", "has_lane"])
    if name == "image":
        part.image = choose.choice(["base", "somewhere/else:1"])
    elif name == "has_lane":
        part.has_lane = not part.has_lane and part.per != "reference"
    else:
        setattr(part, name, choose.randint(1, 3))


def edit_upstream(choose: random.Random, study: Study) -> None:
    """A step reads one earlier step more, or one less."""
    number = choose.randrange(len(study.parts))
    part = study.parts[number]
    earlier = [other.name for other in study.parts[:number]]
    if part.per == "reference" or not earlier:
        return
    name = choose.choice(earlier)
    reads = [other for other in earlier if (other in part.reads) != (other == name)]
    if reads or part.has_input:
        part.reads = reads


def edit_genes(choose: random.Random, study: Study) -> None:
    study.genes = f"genes {choose.randint(1, 3)}\n"


EDITS: tuple[Callable[[random.Random, Study], None], ...] = (
    add_sample,
    drop_sample,
    edit_input,
    edit_input,
    edit_column,
    edit_part,
    edit_part,
    edit_part,
    edit_upstream,
    edit_genes,
)


@dataclass
class History:
    """A study in a bucket, and what was done to it."""

    bucket: Bucket
    folder: Path
    choose: random.Random
    study: Study = field(init=False)
    done: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.study = random_study(self.choose, f"h{next(_numbers)}-{self.choose.randrange(10**6)}")
        self._put_inputs()

    def play(self, edits: int) -> None:
        """So many edits, each followed by something that runs, and then the comparison."""
        for _ in range(edits):
            self.edit()
            action = self.choose.choice(
                [
                    self.follow,
                    self.follow,
                    self.detach,
                    self.kill,
                    self.kill,
                    self.at_once,
                    self.tamper,
                    self.move,
                ]
            )
            self._note(action.__name__)
            action()
        self.settle()
        self.compare()

    def _note(self, what: str) -> None:
        self.done[what] += 1
        self.log.append(what)

    def edit(self) -> None:
        edit = self.choose.choice(EDITS)
        edit(self.choose, self.study)
        self._note(edit.__name__)
        self._put_inputs()

    def _put_inputs(self) -> None:
        """The bucket holds today's inputs; only what changed is written."""
        wanted = {f"{self.study.input_prefix}/{name}.txt": text for name, text in self.study.inputs.items()}
        wanted[f"reference/{self.study.reference}/genes.txt"] = self.study.genes
        for key, text in wanted.items():
            if self.bucket.read(key) != text.encode():
                self.bucket.write(key, text.encode())

    def command(self, **changes: object) -> Command:
        folder = self.folder / f"{self.study.name}-{next(_numbers)}"
        return Command(self.bucket.name, folder, **changes)  # type: ignore[arg-type]

    def follow(self) -> None:
        """A command to its end; where it says SUCCEEDED, every result is right at that moment."""
        state = self._try(self.command())
        if state == "SUCCEEDED":
            self.compare()

    def detach(self) -> None:
        self._try(self.command(follows=False))

    def kill(self) -> None:
        """A client dies at some call of its own."""
        at = self.choose.randrange(MOST_CALLS)
        loses_answer = self.choose.random() < 0.5
        self._try(self.command(dies_at=at, loses_answer=loses_answer))

    def at_once(self) -> None:
        """Two or three commands at one moment, some of them over another edit."""
        other = self.study.copy()
        edit_part(self.choose, other)
        commands = [
            (
                self.command(alongside=self.choose.random() < 0.3),
                self.choose.choice([self.study, self.study, other]),
            )
            for _ in range(self.choose.randint(2, 3))
        ]
        with ThreadPoolExecutor(len(commands)) as threads:
            for end in [threads.submit(self._try, one, study) for one, study in commands]:
                end.result()

    def tamper(self) -> None:
        """A published file is overwritten or deleted, or a marker is."""
        prefix = f"results/{self.study.name}/{self.study.reference}/"
        keys = sorted(
            found.key for found in self.bucket.objects(prefix) if not found.key.endswith("_tree.json")
        )
        if keys and not self._open_runs():
            key = self.choose.choice(keys)
            if self.choose.random() < 0.5:
                self.bucket.delete(key)
            elif not key.endswith(".json"):
                self.bucket.write(key, b"not what it was\n")

    def move(self) -> None:
        """Another input place over the same results is refused."""
        owner = self.bucket.read_json(f"results/{self.study.name}/{self.study.reference}/_tree.json")
        if owner is None:
            return
        elsewhere = self.study.copy()
        elsewhere.moved = True
        try:
            self.command().run(elsewhere)
        except InputError as error:
            assert "--results-prefix" in str(error), error
        else:
            raise WrongResultError("another input place was taken for the same results")

    def _try(self, command: Command, study: Study | None = None) -> str | None:
        """The command's end; a client that is killed, or refused for an open run, has none."""
        try:
            return command.run((study or self.study).copy())
        except Killed:
            self._note("killed")
        except InputError as error:
            assert "is open and has some of these samples" in str(error), error
            self._note("refused")
        except RefusedError as error:
            assert "cancelled" in str(error), error
        return None

    def _open_runs(self) -> list[OpenRun]:
        layout = Layout(self.bucket.name, self.study.name, self.study.reference)
        look = claims.look(self.bucket, layout)
        place = Place(queue="local", bucket_name=self.bucket.name)
        return [
            open_run(f"s3://{self.bucket.name}/runs/{folder.keys.run_id}", place) for folder in look.open_runs
        ]

    def settle(self) -> None:
        """The same command again until nothing is left to do; what is in its way is waited for, or cancelled."""
        for _ in range(ROUNDS):
            for run in self._open_runs():
                if self.choose.random() < 0.3:
                    runs.cancel(run)
                    self._note("cancelled")
            try:
                state = self.command().run(self.study.copy())
            except InputError:
                self._wait_for_open_runs()
                continue
            if state is None:
                return
            assert state in {"SUCCEEDED", "FAILED", "CANCELLED"}, state
        raise WrongResultError("there is always something left to do")

    def _wait_for_open_runs(self) -> None:
        for run in self._open_runs():
            try:
                resume_to_the_end(run)
            except PipelineError:
                runs.cancel(run)

    def compare(self) -> None:
        """Every published file is what a fresh execution gives. Raises: WrongResultError."""
        wrong = {
            key: (found, text)
            for key, text in self.study.expected().items()
            if (found := (self.bucket.read(key) or b"").decode()) != text
        }
        if wrong:
            raise WrongResultError(f"{wrong}\nafter {self.log}\nof {self.study}")


def resume_to_the_end(run: OpenRun) -> None:
    """The run is submitted whole, followed and closed, as `resume` does."""
    from pipeline.api.start import resume

    if not runs.is_over(run):
        resume(run, None, tell=lambda _: None)
        end_of(run)
