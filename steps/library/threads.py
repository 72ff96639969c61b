"""Requests that do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

AT_ONCE = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The function's result of each item, in their order; a few at once, where there is more than one."""
    todo = list(items)
    if len(todo) <= 1:
        return [function(item) for item in todo]
    from concurrent.futures import ThreadPoolExecutor  # late: a child with one input needs none of it

    with ThreadPoolExecutor(min(AT_ONCE, len(todo))) as pool:
        return list(pool.map(function, todo))
