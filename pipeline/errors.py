"""What went wrong, where, and what to do about it: the one shape of every message to the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `what` in a sentence, `where` it is, and the `fix`."""

    what: str
    where: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  fix:   {self.fix}"


class PipelineError(Exception):
    """The command cannot go on; every problem of the kind is listed, and `exit_code` says whose turn it is."""

    exit_code = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class InputError(PipelineError):
    """What the user wrote is wrong: nothing was submitted and nothing was written."""

    exit_code = 2


class RefusedError(PipelineError):
    """AWS, or what stands in for it, answered and said no."""

    exit_code = 3


class UnreachableError(PipelineError):
    """No answer: the network, the endpoint or the credentials' source is not there."""

    exit_code = 4
