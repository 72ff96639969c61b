"""Log streams as files: an attempt writes straight to its own, readers turn it into timed events.

A line's time is when it was first seen: at a look while the attempt ran (`marks`), else the file's last change. So a
short job costs nothing but its file, and times never change once given.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from local_batch.clock import Clock
from local_batch.errors import NoSuchLogError

MAX_EVENT = (
    262_144 - 26
)  # bytes, https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
MARKS = ".marks"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a stream; `offset` is where it begins in the file."""

    stream: str
    offset: int
    timestamp: int
    message: str


class Logs:
    """All log groups: a folder a group, a file a stream."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[str, str] = {}

    def file(self, group: str, stream: str) -> str:
        """Return the file of a stream; its folder exists afterwards."""
        folder = self._made.get(group)
        if folder is None:
            self._group(group).mkdir(parents=True, exist_ok=True)
            folder = self._made[group] = str(self._group(group))
        return f"{folder}/{_file_name(stream)}"

    def forget(self, group: str, stream: str) -> None:
        """Delete a stream."""
        path = self._group(group) / _file_name(stream)
        path.unlink(missing_ok=True)
        path.with_name(path.name + MARKS).unlink(missing_ok=True)

    def groups(self) -> list[str]:
        """Return the names of all groups, sorted."""
        if not self._folder.exists():
            return []
        return sorted(unquote(each.name.removeprefix("group=")) for each in self._folder.iterdir())

    def streams(self, group: str, prefix: str = "") -> list[str]:
        """Return the names of a group's streams that begin so, sorted."""
        folder = self._group(group)
        if not folder.exists():
            raise NoSuchLogError("The specified log group does not exist.")
        names = (unquote(each.name) for each in folder.iterdir() if not each.name.endswith(MARKS))
        return sorted(name for name in names if name.startswith(prefix))

    def span(self, group: str, stream: str) -> tuple[int, int, int]:
        """Return the times of a stream's first and last event, and its bytes."""
        path = self._existing(group, stream)
        last = path.stat().st_mtime_ns // 1_000_000
        marks = self._marks(path)
        return (marks[0][1] if marks else last), last, path.stat().st_size

    def events(self, group: str, stream: str) -> Iterator[Event]:
        """Yield a stream's complete lines, oldest first, each with the time at which it was first seen."""
        path = self._existing(group, stream)
        marks = self._mark(path)
        current = 0
        for offset, line in _lines(path, marks[-1][0]):
            while marks[current][0] <= offset:
                current += 1
            yield Event(stream, offset, marks[current][1], line)

    def _mark(self, path: Path) -> list[tuple[int, int]]:
        """Return (bytes, time) of every look, the last one made now, when there is something new."""
        with self._lock:
            marks = self._marks(path)
            state = path.stat()
            if state.st_size and (not marks or marks[-1][0] < state.st_size):
                marks.append((state.st_size, state.st_mtime_ns // 1_000_000))
                path.with_name(path.name + MARKS).write_text(json.dumps(marks))
            return marks or [(0, 0)]

    def look(self, path: Path) -> None:
        """Give what has been written since the last look its time."""
        with contextlib.suppress(FileNotFoundError):
            self._mark(path)

    def _marks(self, path: Path) -> list[tuple[int, int]]:
        try:
            return [(size, at) for size, at in json.loads(path.with_name(path.name + MARKS).read_text())]
        except FileNotFoundError:
            return []

    def _existing(self, group: str, stream: str) -> Path:
        path = self._group(group) / _file_name(stream)
        if not path.exists():
            raise NoSuchLogError("The specified log stream does not exist.")
        return path

    def _group(self, group: str) -> Path:
        return self._folder / f"group={quote(group, safe='')}"


def _file_name(stream: str) -> str:
    prefix, slash, task_id = stream.rpartition("/")
    return f"{_quoted(prefix + slash)}{_quoted(task_id) if not task_id.isalnum() else task_id}"


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return quote(text, safe="")


def _lines(path: Path, end: int) -> Iterator[tuple[int, str]]:
    """Yield (offset, line) up to `end`; a line too long for an event is cut into several, an empty one is a blank."""
    with path.open("rb") as file:
        offset = 0
        while offset < end:
            line = file.readline(min(MAX_EVENT, end - offset))
            yield offset, line.rstrip(b"\r\n").decode(errors="replace") or " "
            offset += len(line)
