"""`plan`: what run would do, and why."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.cli import words
from pipeline.cli.screen import say, table

if TYPE_CHECKING:
    from pipeline.model.pipeline import Pipeline
    from pipeline.plan.plan import Plan, StepPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words.add_what_to_run(parser)


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The plan is printed; nothing was written or submitted."""
    from pipeline.api.prepare import prepare
    from pipeline.api.start import open_run_ids

    prepared = prepare(words.request(options, default))
    print_plan(prepared.plan, as_json=options.json)
    for run_id in open_run_ids(prepared):
        say(f"run {run_id} is open over these results: what it holds is not started twice")
    return 0


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Each step with the arrays it would submit, and how many children for which reason."""
    steps = [_describe(step, len(plan.work)) for step in plan.steps]
    if as_json:
        print(json.dumps({"samples": len(plan.sheet), "steps": steps}, indent=1, ensure_ascii=False))
        return
    rows = [
        [step["name"], step["done"], step["todo"], _sizes(step["arrays"]), _reasons(step["reasons"])]
        for step in steps
    ]
    print(table(["step", "done", "to do", "arrays", "because"], rows))
    calls = sum(len(step["arrays"]) for step in steps)
    print(
        f"{len(plan.sheet)} samples, {len(plan.work)} of them with something to do: {calls} SubmitJob calls"
    )


def _describe(share: StepPlan, rows: int) -> dict[str, Any]:
    from pipeline.submit.jobs import shards

    sizes = [size for _, size in shards(rows)] if share.step.per == "sample" else [1]
    return {
        "name": share.step.name,
        "done": share.done,
        "todo": len(share.todo),
        "arrays": sizes if share.todo else [],
        "reasons": dict(Counter(share.todo.values()).most_common()),
        "samples": {sample or "-": why for sample, why in share.todo.items()},
    }


def _sizes(sizes: list[int]) -> str:
    counts = Counter(sizes)
    return " + ".join(f"{number} of {size}" for size, number in counts.items()) or "none"


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in reasons.items())
