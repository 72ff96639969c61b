"""Docker or Podman, by its command line."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import InputError, Problem, RefusedError
from pipeline.images.image import Image

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
ANSWER_WITHIN_S = 10  # a daemon that hangs is as good as none


def architecture_here() -> str:
    """The architecture of this machine, in AWS's words."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


class Engine:
    """The container engine of this machine: `program` is docker or podman."""

    def __init__(self, program: str | None = None) -> None:
        found = shutil.which(program) if program else shutil.which("docker") or shutil.which("podman")
        if not found:
            what = f"{program or 'neither docker nor podman'} is not installed"
            fix = "install Docker or Podman, or give its path with --engine"
            raise InputError(Problem(what, "PATH", fix))
        self.program = found

    def has(self, reference: str) -> bool:
        """Whether the engine holds this image."""
        inspect = [self.program, "image", "inspect", reference]
        return subprocess.run(inspect, capture_output=True, check=False).returncode == 0

    def digest(self, reference: str) -> str | None:
        """The image's own id, a digest of its content; None where the engine holds no such image, or says nothing."""
        inspect = [self.program, "image", "inspect", "--format", "{{.Id}}", reference]
        try:
            ran = subprocess.run(
                inspect, capture_output=True, text=True, timeout=ANSWER_WITHIN_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return (ran.stdout.strip() or None) if ran.returncode == 0 else None

    def ensure(self, image: Image, *, tell: Callable[[str], None]) -> None:
        """The engine holds the image: it did, or it was built just now, and `tell` heard so; its parent is there."""
        if not self.has(image.reference):
            tell(f"building {image.name} ({image.tag})")
            self.build(image)

    def build(self, image: Image) -> None:
        """The engine holds the image under its reference; its parent is there already."""
        command = ["build", "--tag", image.reference, "--file", "Dockerfile"]
        if image.architecture != architecture_here():
            command += ["--platform", PLATFORMS[image.architecture]]
        if image.parent:
            command += ["--build-arg", f"PARENT={image.parent.reference}"]
        with tempfile.TemporaryDirectory(prefix="image.") as context:
            for name, path in image.files.items():
                target = Path(context, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
            self._run([*command, "."], folder=context)

    def tag(self, reference: str, other: str) -> None:
        """The image has another name too."""
        self._run(["tag", reference, other])

    def push(self, reference: str) -> None:
        """The registry that the reference names holds the image."""
        self._run(["push", reference])

    def log_in(self, registry: str, *, user: str, password: str) -> None:
        """The engine may push to the registry until the password ends; it goes by stdin, not by arguments."""
        self._run(["login", "--username", user, "--password-stdin", registry], stdin=password)

    def log_out(self, registry: str) -> None:
        """The engine has forgotten the registry's password."""
        self._run(["logout", registry])

    def _run(self, arguments: Sequence[str], *, folder: str | None = None, stdin: str = "") -> None:
        command = [self.program, *arguments]
        ran = subprocess.run(
            command,
            cwd=folder,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            what = f"{' '.join([Path(self.program).name, arguments[0]])} failed (exit {ran.returncode})"
            last_lines = "\n         ".join(ran.stdout.strip().splitlines()[-8:])
            fix = f"see what it says:\n         {last_lines}"
            raise RefusedError(Problem(what, " ".join(command), fix))
