"""What a person sees: progress on a terminal, tables in columns; nothing moves in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from pipeline.follow.progress import Progress


def say(*lines: str) -> None:
    """Lines for the person, on standard error: standard output carries the answer and nothing else."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows in aligned columns; None is an empty cell."""
    cells = [
        list(header),
        *(["" if cell is None else str(cell) for cell in row] for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


class StepBars:
    """A bar a step while a run goes on; silent where standard error is not a terminal."""

    def __init__(self, steps: Mapping[str, int]) -> None:
        self._bars: Bars | None = None
        if sys.stderr.isatty():
            self._start(steps)

    def _start(self, steps: Mapping[str, int]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._tasks = {
            name: self._bars.add_task(name, total=size, counts="waiting")
            for name, size in steps.items()
            if size
        }
        self._bars.start()

    def show(self, progress: Mapping[str, Progress]) -> None:
        """The bars stand where the steps stand."""
        if self._bars:
            for name, task in self._tasks.items():
                if name in progress:
                    self._bars.update(task, completed=progress[name].finished, counts=str(progress[name]))

    def say(self, *lines: str) -> None:
        """Lines above the bars, or by themselves where there are none."""
        if self._bars:
            self._bars.console.print(*lines, sep="\n", markup=False, highlight=False)
        else:
            say(*lines)

    def stop(self) -> None:
        if self._bars:
            self._bars.stop()
