"""What a job definition or a job may ask for. Each limit names its page."""

from __future__ import annotations

import json
from typing import Any

from local_batch.errors import ClientError, UnavailableError
from local_batch.job import RetryRule

# https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
DEFINITION_KIB = 24
JOB_KIB = 30
MAX_ARRAY = 10_000
MAX_DEPENDENCIES = 20
MAX_OVERRIDES = 8192  # characters; checked when the job would start, not at submit

# https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
FARGATE_MIB = {
    0.25: (512, 1024, 2048),
    0.5: range(1024, 4097, 1024),
    1: range(2048, 8193, 1024),
    2: range(4096, 16385, 1024),
    4: range(8192, 30721, 1024),
    8: range(16384, 61441, 4096),
    16: range(32768, 122881, 8192),
    32: (61440, 122880, 249856),
}


def check_size(body: dict[str, Any], what: str, most_kib: int) -> None:
    """Pass when the request is not too large."""
    size_kib = -(-len(json.dumps(body).encode()) // 1024)
    if size_kib > most_kib:
        raise ClientError(f"{what} size must be less than {most_kib} KiB, got {size_kib} KiB")


def check_environment(variables: list[dict[str, str]]) -> None:
    """Pass when no variable has a reserved name."""
    for variable in variables:
        name = variable.get("name", "")
        if name.startswith("AWS_BATCH"):
            raise ClientError(f"Environment variable {name} is reserved: names may not start with AWS_BATCH")
        if not name or "=" in name or "\0" in name + variable.get("value", ""):
            raise ClientError(f"Environment variable {name!r} is not valid")


def check_command(words: list[str]) -> None:
    """Pass when the command has no empty word. Source: API_ContainerOverrides."""
    if any(not word or "\0" in word for word in words):
        raise ClientError("Container command may not contain an empty string")


def check_timeout(timeout: dict[str, int]) -> None:
    """Pass for 60 seconds or more. Source: API_JobTimeout."""
    if timeout.get("attemptDurationSeconds", 0) < 60:
        raise ClientError("attemptDurationSeconds must be at least 60")


def retry_rules(strategy: dict[str, Any]) -> tuple[RetryRule, ...]:
    """Return the rules of a retryStrategy, checked. Source: API_RetryStrategy, API_EvaluateOnExit."""
    attempts, entries = strategy.get("attempts"), strategy.get("evaluateOnExit", [])
    if attempts is None:
        raise ClientError("RetryAttempts must be provided with retry strategy")
    if not 1 <= attempts <= 10:
        raise ClientError("RetryAttempts must be between 1 and 10")
    if len(entries) > 5:
        raise ClientError("evaluateOnExit may have at most 5 entries")
    return tuple(_rule(entry) for entry in entries)


def _rule(entry: dict[str, str]) -> RetryRule:
    for key in ("onStatusReason", "onReason", "onExitCode"):
        pattern = entry.get(key)
        body = "" if pattern is None else pattern.removesuffix("*")
        letters = "0123456789" if key == "onExitCode" else None
        if len(body) > 512 or any(c not in letters if letters else not _may_match(c) for c in body):
            raise ClientError(f"evaluateOnExit {key} {pattern!r} is not valid")
    return RetryRule(
        action=entry["action"].upper(),
        on_status_reason=entry.get("onStatusReason"),
        on_reason=entry.get("onReason"),
        on_exit_code=entry.get("onExitCode"),
    )


def _may_match(character: str) -> bool:
    return character.isalnum() or character in ".: \t"


def resources(container: dict[str, Any], platforms: list[str]) -> tuple[float, int]:
    """Return a container's vCPUs and MiB, checked."""
    stated = {each["type"]: each["value"] for each in container.get("resourceRequirements", [])}
    if "GPU" in stated:
        raise UnavailableError("A GPU")
    try:
        vcpus = float(stated.get("VCPU", container.get("vcpus", 0)))
        memory_mib = int(stated.get("MEMORY", container.get("memory", 0)))
    except ValueError:
        raise ClientError("resourceRequirements values must be numbers") from None
    if "FARGATE" in platforms:
        if memory_mib not in FARGATE_MIB.get(vcpus, ()):
            raise ClientError(f"Fargate resource requirements ({vcpus:g} vCPU, {memory_mib} MiB) not valid.")
    elif vcpus < 1 or vcpus != int(vcpus):
        raise ClientError("Container vcpus should be a whole number, at least 1")
    elif memory_mib < 4:
        raise ClientError("Container memory should be at least 4 MiB")
    return vcpus, memory_mib
