"""Questions to the person at the terminal; stdout is left to the answer of the command."""

from __future__ import annotations

import sys

from pipeline.errors import InputError, Problem


def ask(question: str, default: str) -> str:
    """What the user types, or the default for an empty line. Raises: InputError where nobody can answer."""
    print(f"{question} [{default}]: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise InputError(Problem("nobody answers", "standard input", "give every value as a flag, and --yes"))
    return line.strip() or default


def confirm(question: str) -> bool:
    """Whether the user says yes; anything else is no."""
    return ask(f"{question} (yes/no)", "no").lower() in {"y", "yes"}
