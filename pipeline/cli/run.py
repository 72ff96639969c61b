"""`run`: everything from the sample list to the ledger."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.cli.follow import INTERRUPTED, follow_to_the_end, show_end
from pipeline.cli.plan import print_plan
from pipeline.cli.screen import say
from pipeline.cli.status import half_submitted_words, next_words, print_json

if TYPE_CHECKING:
    from pipeline.api.place import OpenRun
    from pipeline.api.prepare import Prepared, Request
    from pipeline.model.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words.add_what_to_run(parser)
    parser.add_argument("--detach", action="store_true", help="submit, print the run's URI, and leave")
    parser.add_argument("--dry-run", action="store_true", help="the same as the verb plan")
    parser.add_argument(
        "--alongside", action="store_true", help="while another run is open: do what it does not hold"
    )
    parser.add_argument(
        "--max-parallel", type=_positive, metavar="N", help="at most N children run at a time"
    )
    parser.add_argument("--scheduler-host", metavar="HOST", help="report to the luigid on this host")


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The run is submitted and, unless --detach, watched to its end and closed."""
    _say_who_and_where(options)
    scheduler = _find_scheduler(options) if options.scheduler_host else None
    return _run(options, words.request(options, default), scheduler, followed=None)


def _run(
    options: argparse.Namespace, request: Request, scheduler: str | None, *, followed: OpenRun | None
) -> int:
    """The exit code. Once a run that was open already has ended, all is looked at again: its inputs may be older."""
    from pipeline.api import runs
    from pipeline.api.prepare import prepare
    from pipeline.api.start import describe_nothing, start, submit_run

    prepared = prepare(request)
    if options.dry_run:
        print_plan(prepared.plan, as_json=options.json)
        return 0
    started = start(prepared, alongside=options.alongside, tell=say)
    if started.run is None and followed and prepared.plan.is_empty:
        return show_end(followed, _name(followed, options), as_json=options.json)
    if started.run is None:
        _say_nothing_to_do(prepared)
        if options.json:
            print_json(*describe_nothing(prepared))
        return 0
    current = started.run
    if not started.is_followed:
        say(f"run {current.run.id}", f"    {current.run.uri}")
    try:
        page = submit_run(current, scheduler or _find_scheduler(options), tell=say)
    except KeyboardInterrupt:
        say("", *half_submitted_words(_name(current, options)))
        return INTERRUPTED
    if options.detach:
        return _leave(current, options, is_followed=started.is_followed)
    if not follow_to_the_end(current, page, _name(current, options)):
        return INTERRUPTED
    if started.is_followed and runs.has_succeeded(current):
        return _run(options, request, scheduler, followed=current)
    return show_end(current, _name(current, options), as_json=options.json)


def _name(run: OpenRun, options: argparse.Namespace) -> str:
    """What the run is called in the commands that come next; this machine remembers those that it started."""
    from pipeline.cloud.home import recall_runs

    is_known = any(known["run"] == run.run.id for known in recall_runs())
    return run.run.id if is_known else words.name_run(run.run.uri, options)


def _leave(run: OpenRun, options: argparse.Namespace, *, is_followed: bool) -> int:
    """The run was named, with how to come back to it."""
    from pipeline.api.start import describe_submitted

    if options.json:
        print_json(*describe_submitted(run))
    else:
        print(run.run.uri)
    if is_followed:
        say("what was changed since it started is for the same command, once it has ended")
    say(*next_words(_name(run, options)))
    return 0


def _find_scheduler(options: argparse.Namespace) -> str:
    """The URL of Luigi's scheduler. Raises: UnreachableError where the one that was named does not answer."""
    from pipeline.submit.tasks import scheduler_url

    return scheduler_url(options.scheduler_host)


def _say_who_and_where(options: argparse.Namespace) -> None:
    from pipeline.cloud.identity import describe_caller
    from pipeline.cloud.local import LOCAL_QUEUE
    from pipeline.cloud.session import plain_errors

    if options.queue != LOCAL_QUEUE:
        cloud = words.place(options).connect()
        with plain_errors(cloud.where):
            say(describe_caller(cloud))


def _say_nothing_to_do(prepared: Prepared) -> None:
    layout = prepared.layout
    if prepared.plan.is_empty:
        say(
            f"nothing to do: every result of {len(prepared.plan.sheet)} samples stands, nothing was recomputed"
        )
    else:
        say("nothing to do now: an open run holds all that is left; the same command afterwards looks again")
    outputs = [
        layout.output(step, prepared.plan.sheet.cohort(step.used_columns))
        for step in prepared.pipeline.steps
        if step.per == "run"
    ]
    say(*(f"results: {layout.url(output)}/" for output in outputs or [layout.results]))


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is below 1")
    return number
