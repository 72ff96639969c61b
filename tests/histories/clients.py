"""Clients that can die at any call, each a process of its own as far as the others can tell."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.api import runs
from pipeline.api.place import OpenRun, Place
from pipeline.api.prepare import Request, prepare
from pipeline.api.start import start, submit_run
from pipeline.cloud import local
from pipeline.cloud.session import Cloud
from pipeline.follow.progress import watch
from pipeline.submit import submitter
from tests.histories.study import Study

POLL_S = 0.05
_alive: set[int] = set()
_names = itertools.count(1)
_own = threading.local()


class Killed(BaseException):
    """The client's process is gone."""


class MortalCloud(Cloud):
    """A cloud whose client dies at its n-th call from now, before it is sent or when its answer is lost."""

    def __init__(self, dies_at: int | None, loses_answer: bool) -> None:
        super().__init__(local.start("process"))
        self._left = dies_at
        self._event = "after-call" if loses_answer else "before-send"

    def client(self, service: str, *settings: Any, **more: Any) -> Any:
        client = super().client(service, *settings, **more)
        client.meta.events.register(f"{self._event}.{service}", self._die_in_time)
        return client

    def _die_in_time(self, **_: object) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed


@dataclass(frozen=True, kw_only=True)
class MortalPlace(Place):
    """The place of a client that dies."""

    dies_at: int | None = None
    loses_answer: bool = False

    def connect(self) -> Cloud:
        return MortalCloud(self.dies_at, self.loses_answer)


@contextmanager
def told_apart() -> Iterator[None]:
    """The clients of this process are as processes of their own, dead once they were killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submitter, "_who", lambda: {"client": _own.name})
        patch.setattr(submitter, "_is_dead", lambda who: who.get("client") not in _alive)
        yield


@dataclass(frozen=True)
class Command:
    """`run` over a study as it is now. `follows` waits for the end; one that does not is `--detach`."""

    bucket: str
    folder: Path
    follows: bool = True
    alongside: bool = False
    dies_at: int | None = None
    loses_answer: bool = False

    def run(self, study: Study) -> str | None:
        """The run's state at its end; None when nothing had to run, or it was not followed. Raises: Killed."""
        _own.name = next(_names)
        _alive.add(_own.name)
        try:
            return self._run(study)
        finally:
            _alive.discard(_own.name)

    def _run(self, study: Study) -> str | None:
        place = MortalPlace(
            queue="local", bucket_name=self.bucket, dies_at=self.dies_at, loses_answer=self.loses_answer
        )
        request = Request(
            pipeline=study.write(self.folder),
            place=place,
            source="list",
            sample_list=study.sheet(),
            reference=study.reference,
            input_prefix=study.input_prefix,
        )
        started = start(prepare(request), alongside=self.alongside)
        if started.run is None:
            return None
        submit_run(started.run, "", tell=lambda _: None)
        if not self.follows:
            return None
        state = end_of(started.run)
        if (
            started.is_followed and state == "SUCCEEDED"
        ):  # as the command line: it was planned before, look again
            return self._run(study) or state
        return state


def end_of(run: OpenRun) -> str:
    """The state of the run, followed to its end and closed."""
    look = lambda: runs.progress(run, datetime.now(UTC))  # noqa: E731
    for _ in watch(look, poll_every_s=POLL_S, sleep=threading.Event().wait):  # type: ignore[arg-type]
        pass
    document: Mapping[str, Any] = runs.finish(run)
    return str(document["state"])
