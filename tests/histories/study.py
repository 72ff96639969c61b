"""A pipeline, its sheet and its inputs as a history holds them; its files, and what a serial, fresh execution gives.

Every step writes a digest of all that it could read: its version, its parameter, its columns, and each file in its
working folder by name and content. So a result made of anything but today's inputs differs from the expected one.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import Pipeline, Step
from pipeline.model.sheet import SampleSheet

SHELL = """#!/bin/sh
# version {version}
set -eu
{{
  echo "{name} {version} k=${{K-}} {lane}"
  find . -type f | LC_ALL=C sort | while IFS= read -r file; do echo "$file"; cat "$file"; done
}} > "$TMPDIR/collected"
sha256sum < "$TMPDIR/collected" | cut -c1-16 > {output}
{extra}
"""
LIBRARY = """# version {version}
import hashlib
import os
from pathlib import Path

from {module} import WORD
from steps import Child, main


def work(child: Child) -> None:
    lane = child.columns["lane"] if {has_lane} and child.columns else ""
    lines = [f"{name} {version} k={{os.environ.get('K', '')}} {{lane}} {{WORD}}"]
    for path in {paths}:
        each = path in {of_each}
        files = child.fetch_all(path) if each else {{"": child.fetch(*path.split("/", 1))}}
        for sample, file in files.items():
            lines += [f"{{path}} {{sample}}", file.read_text()]
    text = hashlib.sha256("\\n".join(lines).encode()).hexdigest()[:16] + "\\n"
    for output in {outputs}:
        Path(output).write_text(text)
    child.publish(*{outputs}, at_least=1)


if __name__ == "__main__":
    main(work)
"""


@dataclass
class Part:
    """One step of a study; `reads` are earlier steps, `has_input` says whether it reads the sample's own file."""

    name: str
    per: str = "sample"
    reads: list[str] = field(default_factory=list)
    has_input: bool = False
    has_lane: bool = False
    is_library: bool = False
    version: int = 1
    k: int = 0
    word: int = 0  # in a module that a script over the library imports
    image: str = "base"

    @property
    def output(self) -> str:
        return f"{self.name}.idx" if self.per == "reference" else "out.txt"

    @property
    def outputs(self) -> list[str]:
        """Two files in even versions, so that a history leaves some behind."""
        two = self.version % 2 == 0 and self.per != "reference"
        return [self.output, *(["extra.txt"] if two else [])]


@dataclass
class Study:
    """All that a result depends on."""

    name: str
    parts: list[Part]
    samples: dict[str, dict[str, str]]  # sample → lane and note
    inputs: dict[str, str]  # sample → its file's content
    genes: str = "genes 0\n"
    moved: bool = False  # the inputs are looked for in another place

    @property
    def reference(self) -> str:
        return f"ref-{self.name}"

    @property
    def input_prefix(self) -> str:
        return f"elsewhere/{self.name}" if self.moved else f"in/{self.name}"

    def copy(self) -> Study:
        return copy.deepcopy(self)

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def sheet(self) -> bytes:
        lines = [
            "sample,lane,note",
            *(f"{name},{row['lane']},{row['note']}" for name, row in self.samples.items()),
        ]
        return ("\n".join(lines) + "\n").encode()

    def cohort(self, part: Part) -> str:
        """The name of the folder of a step of the whole run."""
        rows = tuple((name, row["lane"], row["note"]) for name, row in self.samples.items())
        return SampleSheet(("sample", "lane", "note"), rows).cohort(self._columns(part))

    def _columns(self, part: Part) -> list[str]:
        return ["lane"] if part.has_lane else []

    def write(self, folder: Path) -> Pipeline:
        """The scripts are in the folder, and this is the pipeline over them."""
        folder.mkdir(parents=True, exist_ok=True)
        steps: dict[str, Step] = {}
        for part in self.parts:
            script = self._write_script(part, folder)
            steps[part.name] = Step(
                part.name,
                script,
                after=[steps[name] for name in part.reads],
                per=part.per,
                image=part.image,
                memory_mib=64,
                inputs=self._declared(part),
                outputs=part.outputs,
                columns=self._columns(part),
                parameters={"K": str(part.k)},
            )
        return Pipeline(self.name, list(steps.values()), folder=folder)

    def _paths(self, part: Part) -> list[str]:
        """What a step reads, as it names it."""
        own = ["reference/genes.txt"] if part.per == "reference" else []
        own += ["input/{sample}.txt"] if part.has_input else []
        for name in part.reads:
            other = self.part(name)
            own.append(f"reference/{other.output}" if other.per == "reference" else f"{name}/{other.output}")
        return own

    def _is_of_each(self, path: str) -> bool:
        """Whether there is one such file of every sample."""
        room = path.partition("/")[0]
        return room == "input" or (room != "reference" and self.part(room).per == "sample")

    def _declared(self, part: Part) -> list[str]:
        """A script over the library declares nothing of the steps that it reads: all that they publish counts."""
        paths = self._paths(part)
        return (
            [path for path in paths if path.startswith(("input/", "reference/"))]
            if part.is_library
            else paths
        )

    def _write_script(self, part: Part, folder: Path) -> str:
        if part.is_library:
            module = f"words_{part.name}"
            (folder / f"{module}.py").write_text(f"WORD = {part.word}\n")
            text = LIBRARY.format(
                name=part.name,
                version=part.version,
                module=module,
                has_lane=part.has_lane,
                paths=self._paths(part),
                of_each=[path for path in self._paths(part) if part.per == "run" and self._is_of_each(path)],
                outputs=part.outputs,
            )
            (folder / f"{part.name}.py").write_text(text)
            return f"{part.name}.py"
        lane = "${SAMPLE_LANE-}" if part.has_lane else ""
        extra = "cp out.txt extra.txt" if "extra.txt" in part.outputs else ""
        text = SHELL.format(name=part.name, version=part.version, lane=lane, output=part.output, extra=extra)
        (folder / f"{part.name}.sh").write_text(text)
        return f"{part.name}.sh"

    def expected(self) -> dict[str, str]:
        """Every published file that counts, by its key, as a serial execution from nothing would make it."""
        made: dict[tuple[str, str], str] = {}
        keys: dict[str, str] = {}
        for part in self.parts:
            for sample in self.samples if part.per == "sample" else [""]:
                text = self._content(part, sample, made)
                made[part.name, sample] = text
                keys |= {f"{self._place(part, sample)}/{output}": text for output in part.outputs}
        return keys

    def _place(self, part: Part, sample: str) -> str:
        if part.per == "reference":
            return f"reference/{self.reference}"
        return f"results/{self.name}/{self.reference}/{part.name}/{sample or self.cohort(part)}"

    def _content(self, part: Part, sample: str, made: dict[tuple[str, str], str]) -> str:
        files = self._files(part, sample, made)
        lane = self.samples[sample]["lane"] if part.has_lane and sample else ""
        head = f"{part.name} {part.version} k={part.k} {lane}"
        if part.is_library:
            lines = [f"{head} {part.word}"]
            for path, name, text in files:
                lines += [f"{path} {name}", text]
            return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] + "\n"
        on_disk = {self._on_disk(part, path, name): text for path, name, text in files}
        if part.per == "run":
            on_disk["samples.tsv"] = self._pinned(part)
        text = head + "\n" + "".join(f"./{name}\n{on_disk[name]}" for name in sorted(on_disk, key=str.encode))
        return hashlib.sha256(text.encode()).hexdigest()[:16] + "\n"

    def _files(self, part: Part, sample: str, made: dict[tuple[str, str], str]) -> list[tuple[str, str, str]]:
        """(path as declared, sample, content) of all that a step reads; the sample is empty where there is one file."""
        found = []
        for path in self._paths(part):
            room = path.partition("/")[0]
            if path == "reference/genes.txt":
                found.append((path, "", self.genes))
            elif room == "input":
                names = [sample] if sample else list(self.samples)
                found += [(path, "" if sample else name, self.inputs[name]) for name in names]
            else:
                other = next(
                    one for one in self.parts if path in (f"reference/{one.output}", f"{one.name}/out.txt")
                )
                if other.per == "sample":
                    names = [sample] if sample else list(self.samples)
                    found += [(path, "" if sample else name, made[other.name, name]) for name in names]
                else:
                    found.append((path, "", made[other.name, ""]))
        return found

    def _on_disk(self, part: Part, path: str, sample: str) -> str:
        room, _, name = path.partition("/")
        name = name.replace("{sample}", "sample")
        return f"{room}/{sample}/{name}" if sample else f"{room}/{name}"

    def _pinned(self, part: Part) -> str:
        columns = ["sample", *self._columns(part)]
        rows = [[name, *([row["lane"]] if part.has_lane else [])] for name, row in self.samples.items()]
        return "".join("\t".join(cells) + "\n" for cells in [columns, *rows])
