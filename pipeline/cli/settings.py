"""The stack's parameters as the user may set them: a flag each, and a question for the few that matter."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One parameter of the template; one with a `question` is asked for when its flag is absent."""

    parameter: str
    flag: str
    meaning: str
    default: str = ""
    question: str = ""

    @property
    def name(self) -> str:
        """The option's name in argparse's namespace."""
        return self.flag.removeprefix("--").replace("-", "_")


SETTINGS = (
    Setting("BucketName", "--bucket", "bucket of inputs and results, made when absent", "", "Bucket"),
    Setting("InputPrefix", "--input-prefix", "where inputs are in the bucket", "input"),
    Setting(
        "ForeignInputBucket", "--foreign-input", "a bucket of others to mount; makes a secret for its keys"
    ),
    Setting("VpcId", "--vpc", "an existing VPC (default: a new one)"),
    Setting("SubnetIds", "--subnets", "its subnets, separated by commas"),
    Setting(
        "Architecture", "--architecture", "x86_64, or arm64 (Graviton)", "x86_64", "Processor (x86_64, arm64)"
    ),
    Setting(
        "InstanceTypes", "--instance-types", "families or types, separated by commas (default: Batch chooses)"
    ),
    Setting(
        "MaxvCpus",
        "--max-vcpus",
        "the most vCPUs at a time, on Spot and again on demand",
        "256",
        "Most vCPUs",
    ),
    Setting("VolumeSizeGiB", "--disk-gib", "an instance's disk, shared by its jobs", "200", "Disk, GiB"),
    Setting("VolumeType", "--disk-type", "gp3 or gp2", "gp3"),
    Setting("LogRetentionDays", "--log-days", "how long logs are kept", "30"),
    Setting(
        "NotifyEmail", "--email", "who gets a mail when a step fails", "", "Mail failures to (empty: nobody)"
    ),
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Every setting is a flag of the parser."""
    for setting in SETTINGS:
        default = f" (default: {setting.default})" if setting.default else ""
        parser.add_argument(setting.flag, metavar="VALUE", help=setting.meaning + default)


def choose(
    options: argparse.Namespace, known: Mapping[str, str], ask: Callable[[str, str], str] | None
) -> dict[str, str]:
    """A value for every parameter: the flag's, else the answer to its question, else the `known` or default one.

    `ask` is None when no questions may be asked. `known` holds what the stack has now, or a better default.
    """
    values = {}
    for setting in SETTINGS:
        given = getattr(options, setting.name)
        value = known.get(setting.parameter, setting.default) if given is None else given
        if given is None and ask and setting.question:
            value = ask(setting.question, value)
        values[setting.parameter] = value
    return values
