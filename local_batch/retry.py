"""Whether a failed attempt is tried again. Source: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html"""

from __future__ import annotations

from local_batch.job import Attempt, RetryRule


def is_retried(attempt: Attempt, number: int, *, attempts: int, rules: tuple[RetryRule, ...]) -> bool:
    """True when the first rule that holds says RETRY, or none holds, and attempts are left."""
    if number >= attempts:
        return False
    for rule in rules:
        if _holds(rule, attempt):
            return rule.action == "RETRY"
    return True


def _holds(rule: RetryRule, attempt: Attempt) -> bool:
    exit_code = None if attempt.exit_code is None else str(attempt.exit_code)
    return (
        _matches(rule.on_status_reason, attempt.status_reason)
        and _matches(rule.on_reason, attempt.reason)
        and _matches(rule.on_exit_code, exit_code)
    )


def _matches(pattern: str | None, text: str | None) -> bool:
    """True for equal texts, or a common prefix where the pattern ends in `*`; a missing text matches `*` only."""
    if pattern is None or pattern == "*":
        return True
    if text is None:
        return False
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
