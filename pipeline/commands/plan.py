"""`plan`: what run would do, and why."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from pipeline.jobs import shards
from pipeline.model import Per, Pipeline
from pipeline.plan import Plan, StepPlan
from pipeline.prepare import prepare
from pipeline.screen import table


def run(options: argparse.Namespace, default: Pipeline) -> int:
    """The plan is printed; nothing was written or submitted."""
    print_plan(prepare(options, default).plan, as_json=options.json)
    return 0


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Each step with the arrays it would submit, and how many children for which reason."""
    steps = [_describe(step, len(plan.work)) for step in plan.steps]
    if as_json:
        print(json.dumps({"samples": len(plan.sheet), "steps": steps}, indent=1))
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
    sizes = [size for _, size in shards(rows)] if share.step.per == Per.SAMPLE else [1]
    reasons = Counter("an input changed" if "/" in why else why for why in share.todo.values())
    return {
        "name": share.step.name,
        "done": share.done,
        "todo": len(share.todo),
        "arrays": sizes if share.todo else [],
        "reasons": dict(reasons.most_common()),
        "samples": {sample or "-": why for sample, why in share.todo.items()},
    }


def _sizes(sizes: list[int]) -> str:
    counts = Counter(sizes)
    return " + ".join(f"{number} of {size}" for size, number in counts.items()) or "none"


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in reasons.items())
