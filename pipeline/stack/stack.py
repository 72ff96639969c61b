"""One CloudFormation stack: as it stands, how it would change, changed, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from pipeline.errors import InputError, Problem, RefusedError
from pipeline.stack.account import Account

POLL_EVERY_S = 5
WAIT_AT_MOST_S = 3600
UNMADE = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
NO_CHANGE = ("didn't contain changes", "No updates are to be performed")


@cache
def template() -> str:
    """The stack's template, as CloudFormation reads it."""
    return Path(__file__).with_name("template.yaml").read_text()


@dataclass(frozen=True)
class ChangeSet:
    """What CloudFormation would do; each change is a line such as "Add Queue (AWS::Batch::JobQueue)"."""

    id: str
    is_new_stack: bool
    changes: tuple[str, ...]


class Stack:
    """The stack of that name in an account; every call is counted by the account."""

    def __init__(self, account: Account, name: str) -> None:
        self.account, self.name = account, name
        self._client = account.cloudformation

    def describe(self) -> dict[str, Any] | None:
        """CloudFormation's record of the stack; None where there is none."""
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found

    def status(self) -> str | None:
        """CREATE_COMPLETE and the like; None where there is no stack, or only a change set never carried out."""
        found = self.describe()
        return found["StackStatus"] if found and found["StackStatus"] != "REVIEW_IN_PROGRESS" else None

    def parameters(self) -> dict[str, str]:
        """The parameters' values now; empty where there is no stack."""
        pairs = (self.describe() or {}).get("Parameters", [])
        return {pair["ParameterKey"]: pair["ParameterValue"] for pair in pairs}

    def outputs(self) -> dict[str, str]:
        """The outputs by name; empty where there is no stack."""
        pairs = (self.describe() or {}).get("Outputs", [])
        return {pair["OutputKey"]: pair["OutputValue"] for pair in pairs}

    def propose(self, parameters: Mapping[str, str]) -> ChangeSet | None:
        """The change set to these parameters and the template of today; None when nothing would change."""
        is_new = self._check_it_can_change() is None
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"setup-{time.time_ns()}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=template(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": "stack", "Value": self.name}],
        )
        try:
            self._wait("change_set_create_complete", ChangeSetName=made["Id"])
        except WaiterError:
            self._discard_unchanged(made["Id"])
            return None
        return ChangeSet(made["Id"], is_new, tuple(self._changes(made["Id"])))

    def _check_it_can_change(self) -> str | None:
        status = self.status()
        if status in UNMADE:
            fix = f"python main.py teardown --stack {self.name}, then setup again"
            raise InputError(Problem(f"the stack was left half made ({status})", f"stack {self.name!r}", fix))
        if status and status.endswith("_IN_PROGRESS"):
            fix = "wait for it to end (python main.py setup --show), then try again"
            raise InputError(Problem(f"the stack is being changed ({status})", f"stack {self.name!r}", fix))
        return status

    def _discard_unchanged(self, change_set: str) -> None:
        """The change set, which failed for want of changes, is gone. Raises: RefusedError for any other reason."""
        reason = self._client.describe_change_set(ChangeSetName=change_set).get("StatusReason", "")
        self._client.delete_change_set(ChangeSetName=change_set)
        if not any(text in reason for text in NO_CHANGE):
            fix = "change the flag that it names"
            raise RefusedError(Problem(f"CloudFormation refuses: {reason}", f"stack {self.name!r}", fix))

    def _changes(self, change_set: str) -> Iterator[str]:
        pages = self._client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        for change in (item["ResourceChange"] for page in pages for item in page["Changes"]):
            replaced = ", by a new one" if change.get("Replacement") == "True" else ""
            yield f"{change['Action']} {change['LogicalResourceId']} ({change['ResourceType']}{replaced})"

    def carry_out(self, change_set: ChangeSet) -> None:
        """The stack is as proposed. Raises: RefusedError with the resources that failed, and why."""
        self._client.execute_change_set(ChangeSetName=change_set.id)
        with self._failures_named():
            self._wait("stack_create_complete" if change_set.is_new_stack else "stack_update_complete")

    def discard(self, change_set: ChangeSet) -> None:
        """Nothing of the proposal is left."""
        self._client.delete_change_set(ChangeSetName=change_set.id)
        if change_set.is_new_stack:
            self._client.delete_stack(StackName=self.name)

    def delete(self) -> None:
        """The stack and all it made are gone, but for what it keeps by design."""
        stack_id = (self.describe() or {})["StackId"]
        self._client.delete_stack(StackName=stack_id)
        with self._failures_named():
            self._wait("stack_delete_complete", StackName=stack_id)

    def _wait(self, waiter: str, **which: str) -> None:
        attempts = int(WAIT_AT_MOST_S / max(POLL_EVERY_S, 1))
        self._client.get_waiter(waiter).wait(
            **(which or {"StackName": self.name}),
            WaiterConfig={"Delay": POLL_EVERY_S, "MaxAttempts": attempts},
        )

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except WaiterError as error:
            raise RefusedError(list(self._failures()) or self._unexplained(error)) from error

    def _failures(self) -> Iterator[Problem]:
        for event in self._client.describe_stack_events(StackName=self.name)["StackEvents"]:
            if event["ResourceStatus"].endswith("_FAILED"):
                what = f"{event['ResourceStatus']}: {event.get('ResourceStatusReason', 'no reason given')}"
                where = f"{event['LogicalResourceId']} ({event['ResourceType']}) in stack {self.name!r}"
                yield Problem(what, where, "mend what AWS names, then teardown or setup again")

    def _unexplained(self, error: WaiterError) -> Problem:
        return Problem(str(error), f"stack {self.name!r}", "see its events in the CloudFormation console")
