"""What runs on the batch side: one script a step, and the library under them. See docs/steps.md.

The face of the library: `from steps import Child, DataError, ToolError, main`. Each name is imported when it is first
asked for, so that whoever wants the contract alone (`steps.library.contract`) needs none of what a child needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steps.library.child import Child
    from steps.library.failure import DataError, ToolError
    from steps.library.main import main

__all__ = ["Child", "DataError", "ToolError", "main"]

HOMES = {"Child": "child", "DataError": "failure", "ToolError": "failure", "main": "main"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.library.{HOMES[name]}"), name)
