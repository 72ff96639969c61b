"""Attempts as containers, through the command line of docker or podman.

Source: https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from local_batch.job import OUT_OF_MEMORY, START_FAILED, Outcome
from local_batch.launch import SERVER_MARK, Launch

LABEL = "local-batch-server"
ENGINES = ("docker", "podman")
ENGINE_VARIABLES = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")


def engine() -> str | None:
    """Return the container engine that answers, or nothing."""
    for name in ENGINES:
        program = shutil.which(name)
        if program is not None and _call(program, "info").returncode == 0:
            return program
    return None


class ContainerRunner:
    """Runs each attempt in a container of its image; the image must be there already."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._images: set[str] = set()

    def has_image(self, image: str) -> bool:
        """True when the image is on this machine; nothing is pulled."""
        if image not in self._images and _call(self._program, "image", "inspect", image).returncode == 0:
            self._images.add(image)
        return image in self._images

    def run(self, launch: Launch, started: Callable[[], None]) -> Outcome:
        """Run one attempt to its end and leave no container behind."""
        image, name = launch.container["image"], _name(launch.task_id)
        if not self.has_image(image):
            return Outcome(
                reason=f"CannotPullContainerError: {image} is not on this machine"[:255],
                status_reason=START_FAILED,
            )
        Path(launch.scratch).mkdir()
        created = _call(
            self._program, "create", *_options(launch), image, *launch.command, env=_variables(launch)
        )
        try:
            if created.returncode != 0:
                return _not_started(created.stderr)
            begun = _call(self._program, "start", name)
            if begun.returncode != 0:
                return _not_started(begun.stderr)
            started()
            self._follow(name, launch.log)
            return self._outcome(name)
        finally:
            _call(self._program, "rm", "--force", "--volumes", name)

    def kill(self, task_id: str, *, is_forced: bool) -> None:
        """Signal the container's first process."""
        signal = "KILL" if is_forced else "TERM"
        _call(self._program, "kill", "--signal", signal, _name(task_id))

    def sweep(self, server_id: str) -> None:
        """Remove the containers that an earlier server of this id left."""
        found = _call(self._program, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={server_id}")
        for container in found.stdout.split():
            _call(self._program, "rm", "--force", "--volumes", container)

    def _follow(self, name: str, log: str) -> None:
        """Return when the container has ended, all that it wrote in its log."""
        with Path(log).open("ab") as file:
            arguments = [self._program, "logs", "--follow", name]
            subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
        _call(self._program, "wait", name)

    def _outcome(self, name: str) -> Outcome:
        state = "{{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}"
        inspected = _call(self._program, "inspect", "--format", state, name)
        if inspected.returncode != 0:
            return Outcome(exit_code=137)  # removed under us: killed
        code, is_oom, error = inspected.stdout.rstrip("\n").split(" ", 2)
        if error:
            return _not_started(error)
        return Outcome(exit_code=int(code), reason=OUT_OF_MEMORY if is_oom == "true" else None)


def _name(task_id: str) -> str:
    return f"local-batch-{task_id}"


def _not_started(error: str) -> Outcome:
    return Outcome(reason=f"CannotStartContainerError: {error.strip()}"[:255], status_reason=START_FAILED)


def _options(launch: Launch) -> list[str]:
    """Return the flags of `create`; variables are named here and their values stay out of everybody's `ps`."""
    container, memory = launch.container, launch.memory_mib
    swap = container.get("linuxParameters", {}).get("maxSwap", 0)
    options = ["--name", _name(launch.task_id), "--label", f"{LABEL}={launch.environment[SERVER_MARK]}"]
    options += ["--network", "host", "--memory", f"{memory}m", "--memory-swap", f"{memory + swap}m"]
    options += ["--cpu-shares", str(int(launch.vcpus * 1024))]
    for name, value in launch.environment.items():
        options += ["--env", f"{name}={value}" if name in ENGINE_VARIABLES else name]
    return [*options, *_rights(container), *_mounts(container), *_linux(container.get("linuxParameters", {}))]


def _rights(container: dict[str, Any]) -> Iterator[str]:
    if container.get("privileged"):
        yield "--privileged"
    if container.get("readonlyRootFilesystem"):
        yield "--read-only"
    if container.get("user"):
        yield from ("--user", container["user"])
    for limit in container.get("ulimits", []):
        yield from ("--ulimit", f"{limit['name']}={limit['softLimit']}:{limit['hardLimit']}")


def _mounts(container: dict[str, Any]) -> Iterator[str]:
    sources = {each["name"]: each.get("host", {}).get("sourcePath") for each in container.get("volumes", [])}
    for mount in container.get("mountPoints", []):
        source, target = sources.get(mount["sourceVolume"]), mount["containerPath"]
        mode = "ro" if mount.get("readOnly") else "rw"
        yield from ("--volume", f"{source}:{target}:{mode}" if source else target)


def _linux(parameters: dict[str, Any]) -> Iterator[str]:
    if parameters.get("initProcessEnabled"):
        yield "--init"
    if "sharedMemorySize" in parameters:
        yield from ("--shm-size", f"{parameters['sharedMemorySize']}m")
    if "swappiness" in parameters:
        yield from ("--memory-swappiness", str(parameters["swappiness"]))
    for device in parameters.get("devices", []):
        rights = "".join(right[0].lower() for right in device.get("permissions", [])) or "rwm"
        yield from (
            "--device",
            f"{device['hostPath']}:{device.get('containerPath', device['hostPath'])}:{rights}",
        )
    for mount in parameters.get("tmpfs", []):
        options = ",".join([f"size={mount['size']}m", *mount.get("mountOptions", [])])
        yield from ("--tmpfs", f"{mount['containerPath']}:{options}")


def _variables(launch: Launch) -> dict[str, str]:
    """Return the engine's own variables with the job's beside them, for `--env NAME` to pick up."""
    own = {name: os.environ[name] for name in ENGINE_VARIABLES if name in os.environ}
    return {**launch.environment, **own}


def _call(
    program: str, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
