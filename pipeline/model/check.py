"""What is wrong with a pipeline as it is written, all at once and before anything is spent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import InputError, Problem
from pipeline.model.pipeline import Per, Pipeline, Step
from pipeline.model.sheet import SampleSheet
from steps.library.contract import COLUMN, Input, on_disk

MAX_DEPENDENCIES = 20  # a job: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
MIN_TIMEOUT_S = 60  # https://docs.aws.amazon.com/batch/latest/APIReference/API_JobTimeout.html
MAX_ATTEMPTS = 10  # https://docs.aws.amazon.com/batch/latest/APIReference/API_RetryStrategy.html
MIN_MEMORY_MIB = 4  # https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED_NAMES = {"input", "reference"}
RESERVED_PARAMETERS = re.compile(r"(AWS_BATCH|PIPELINE_|BATCH_FILE_|SAMPLE_).*|SAMPLE|VCPUS|MEMORY_MIB")
MARKER_PREFIX = "_SUCCESS"
TEXTS = ("name", "script", "image", "per")
LEAST = {"vcpus": 1, "memory_mib": MIN_MEMORY_MIB, "timeout_s": MIN_TIMEOUT_S, "retries": 0}
LISTS = {"after": Step, "inputs": (str, Input), "outputs": str, "columns": str, "mounts": str}
IN_FILE = "change it in the pipeline's file"


def check_pipeline(pipeline: Pipeline) -> None:
    """Every step is well-formed, known, and reads only from steps that it comes after.

    Raises: InputError with all problems at once.
    """
    problems = [Problem(what, f"pipeline {pipeline.name!r}", IN_FILE) for what in _of_pipeline(pipeline)]
    if not problems:
        for number, step in enumerate(pipeline.steps):
            where = f"step {step.name!r} of pipeline {pipeline.name!r}"
            found = list(_wrong_types(step)) or [
                *_of_step(step),
                *_around(step, pipeline.steps[:number]),
                *_of_inputs(step, pipeline.steps),
                *_of_outputs(step),
            ]
            problems += [Problem(what, where, IN_FILE) for what in found]
    if problems:
        raise InputError(problems)


def check_columns(pipeline: Pipeline, sheet: SampleSheet) -> None:
    """The sheet has every column that a step uses. Raises: InputError."""
    there = ", ".join(sheet.columns)
    problems = [
        Problem(
            f"step {step.name!r} uses the column {column!r}, which the sample sheet does not have",
            f"the sheet's columns: {there}",
            "add the column to the sheet, under a header, or correct the name in the pipeline's file",
        )
        for step in pipeline.steps
        for column in step.used_columns
        if column not in sheet.columns
    ]
    if problems:
        raise InputError(problems)


def _of_pipeline(pipeline: Pipeline) -> Iterator[str]:
    if not isinstance(pipeline.name, str) or not NAME.fullmatch(pipeline.name):
        yield (
            f"the pipeline's name {pipeline.name!r} is not lower-case letters, digits, - and _ (at most 40); "
            "or give --pipeline-name"
        )
    if not isinstance(pipeline.folder, Path):
        yield f"folder={pipeline.folder!r} is no path: write folder=Path({pipeline.folder!r})"
    yield from _list_problems("files", pipeline.files, str)
    yield from _list_problems("steps", pipeline.steps, Step)
    if not pipeline.steps:
        yield "the pipeline has no steps: give it a Step"


def _wrong_types(step: Step) -> Iterator[str]:
    for name in TEXTS:
        if not isinstance(getattr(step, name), str):
            yield f"{name}={getattr(step, name)!r} is not text"
    for name in LEAST:
        value = getattr(step, name)
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{name}={value!r} is not a whole number"
    for name, kind in LISTS.items():
        yield from _list_problems(name, getattr(step, name), kind)
    if isinstance(step.inputs, Sequence):
        paths = [one.path for one in step.inputs if isinstance(one, Input)]
        yield from _list_problems("inputs", paths, str)
    if not isinstance(step.parameters, Mapping):
        yield f"parameters={step.parameters!r} is no mapping: write parameters={{'NAME': 'value'}}"
        return
    for name, value in step.parameters.items():
        if not isinstance(name, str) or not isinstance(value, str):
            yield f"parameters={{{name!r}: {value!r}}}: a value is text: write {str(value)!r}"


def _list_problems(name: str, value: Any, kind: Any) -> Iterator[str]:
    if isinstance(value, str | Step) or not isinstance(value, Sequence):
        yield f"{name}={_shown(value)} is not a list: write {name}=[{_shown(value)}]"
        return
    for member in value:
        if not isinstance(member, kind):
            yield f"{name} holds {member!r}, which is not {_named(kind)}"


def _shown(value: Any) -> str:
    return value.name if isinstance(value, Step) else repr(value)


def _named(kind: Any) -> str:
    return "text" if kind in (str, (str, Input)) else f"a {kind.__name__}"


def _of_step(step: Step) -> Iterator[str]:
    if not NAME.fullmatch(step.name):
        yield f"the name {step.name!r} is not lower-case letters, digits, - and _ (at most 40)"
    if step.name in RESERVED_NAMES:
        yield f"the name {step.name!r} is taken by the bucket's layout"
    if step.per not in set(Per):
        yield f"per={str(step.per)!r} is not 'sample', 'run' or 'reference'"
    for name, least in LEAST.items():
        if getattr(step, name) < least:
            yield f"{name}={getattr(step, name)} is below {least}"
    if step.retries >= MAX_ATTEMPTS:
        yield f"retries={step.retries} is over {MAX_ATTEMPTS - 1}"
    if not set(step.mounts) <= {"input", "output"}:
        yield f"mounts={list(step.mounts)} are not 'input' and 'output'"
    if len(step.after) > MAX_DEPENDENCIES:
        yield f"it comes after {len(step.after)} steps; Batch allows {MAX_DEPENDENCIES}"
    for name in step.parameters:
        if RESERVED_PARAMETERS.fullmatch(name):
            yield f"the parameter {name!r} is reserved"
        elif not VARIABLE.fullmatch(name):
            yield f"the parameter {name!r} is no variable's name: letters, digits and _"


def _around(step: Step, before: Sequence[Step]) -> Iterator[str]:
    if any(other.name == step.name for other in before):
        yield f"two steps are named {step.name!r}"
    for upstream in step.after:
        if upstream not in before:
            yield f"it comes after {upstream.name!r}, which is not listed before it"
        if step.per == Per.REFERENCE and upstream.per != Per.REFERENCE:
            yield f"a step per reference cannot wait for {upstream.name!r}, which is per {upstream.per}"
    for other in before if step.per == Per.REFERENCE else ():
        if other.per == Per.REFERENCE and not any(_list_problems("outputs", other.outputs, str)):
            for output in sorted({*step.outputs} & {*other.outputs}):
                yield f"the output {output!r} is one of {other.name!r} too, and both lie beside the reference"


def _of_inputs(step: Step, steps: Sequence[Step]) -> Iterator[str]:
    by_name = {other.name: other for other in steps if isinstance(other.name, str)}
    first: dict[str, Input] = {}
    for one in step.declared:
        other = first.setdefault(on_disk(one.path), one)
        if other is not one:
            name = on_disk(one.path)
            yield f"the inputs {other.path!r} and {one.path!r} would both be the file {name!r} in the working folder"
        yield from _of_path("input", one.path)
        if not one.name:
            yield f"the input {one.path!r} names no folder: write input/…, reference/… or <step>/…"
        elif one.room not in RESERVED_NAMES:
            yield from _of_step_input(step, one, by_name)
        if step.per == Per.REFERENCE and COLUMN.search(one.path):
            yield f"the input {one.path!r} names a sample; a step per reference has none"


def _of_step_input(step: Step, one: Input, by_name: Mapping[str, Step]) -> Iterator[str]:
    """An input of another step: of one that is there, that it waits for, and that makes such a file."""
    upstream = by_name.get(one.room)
    if upstream is None:
        yield f"the input {one.path!r} is of a step {one.room!r}, which there is not"
    elif upstream not in step.after:
        yield f"the input {one.path!r} is of step {one.room!r}, which it does not wait for: name it in after=[…]"
    elif upstream.per == Per.REFERENCE:
        yield f"the input {one.path!r} lies beside the reference: write reference/{one.name}"
    elif any(_list_problems("outputs", upstream.outputs, str)):
        return  # said of that step
    elif upstream.outputs and one.name not in upstream.outputs and not one.is_optional:
        yield f"the input {one.path!r} is none of the outputs of {one.room!r}: {', '.join(upstream.outputs)}"


def _of_outputs(step: Step) -> Iterator[str]:
    for output in step.outputs:
        yield from _of_path("output", output)
        if COLUMN.search(output):
            yield f"the output {output!r} has a column in its name; it is the same for every sample"
        if PurePosixPath(output).name.startswith(MARKER_PREFIX):
            yield f"the output {output!r} is called as a success marker is"
    if len(set(step.outputs)) < len(step.outputs):
        yield "an output is listed twice"


def _of_path(kind: str, path: str) -> Iterator[str]:
    """A path below a folder, spelled in one way only."""
    if any(part in {"", ".", ".."} for part in path.split("/")):
        yield f"the {kind} {path!r} is no path below a folder: no / in front or twice, no . or .."
