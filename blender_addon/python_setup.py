"""Makes an environment with PyTorch for a person who has none: by pip, in a child process. No bpy here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from .python_finder import has_torch, program_in

PACKAGES = ("torch", "torchvision", "numpy", "pillow")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
RAW_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
"""A line of pip's progress bar `raw`: bytes so far, and all."""
PIP_VERSION, RAW_SINCE = re.compile(r"pip (\d+)\.(\d+)"), (24, 1)
"""What `pip --version` begins with, and the version that has the bar `raw`."""
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
BEGUN, DOWNLOADED = 0.05, 0.75
"""Shares of the work when the empty environment is there, and when all packages are downloaded."""


class Build(NamedTuple):
    """A build of PyTorch that can be installed."""

    title: str
    size: str
    """What it takes, in words."""
    options: tuple[str, ...]
    """Options of pip."""


BUILDS = {
    "cpu": Build("For the Processor", "about 300 MB to download, 1 GB on disk", ("--extra-index-url", CPU_INDEX)),
    "default": Build("For the Graphics Card", "about 3 GB to download, 7 GB on disk", ()),
}
"""By name. On a Mac both are the same small build, which uses its graphics card."""


class PythonSetup:
    """One environment that is being made, in a thread; its state may be read at any time."""

    def __init__(
        self, python: str, folder: Path, options: Sequence[str] = (), packages: Sequence[str] = PACKAGES
    ) -> None:
        """Starts. python: program whose `venv` makes the environment. folder: the environment, made anew.

        options: of pip's install.
        """
        self.folder = folder
        self.state: Literal["running", "done", "failed", "cancelled"] = "running"
        self.status, self.progress, self.error = "making an empty environment", 0.0, ""
        self._python, self._arguments = python, [*options, *packages]
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="innerwalk python", daemon=True)
        self._thread.start()

    @property
    def program(self) -> str:
        """The environment's Python; "" until it is there."""
        return program_in(self.folder)

    @property
    def ended(self) -> bool:
        """Whether the work has ended, and what a failed or cancelled one has made is removed."""
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Ends the work soon; what was made is removed."""
        with self._lock:
            if self.state == "running":
                self.state = "cancelled"
                if self._child is not None:
                    self._child.terminate()

    def wait(self, seconds: float) -> None:
        """Waits until the work has ended, for so many seconds at most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        lines: deque[str] = deque(maxlen=20)
        try:
            code = self._run_child([self._python, "-m", "venv", "--clear", str(self.folder)], lines)
            if not code:
                self.status, self.progress = "looking up PyTorch", BEGUN
                code = self._run_child([self.program, "-m", "pip", "--version"], lines)
                bar = "raw" if _pip_version(lines) >= RAW_SINCE else "off"
                install = ["-m", "pip", "install", "--progress-bar", bar, "--no-input", *self._arguments]
                code = code or self._run_child([self.program, *install], lines)
            if code:
                errors = [line for line in lines if "error" in line.lower()] or [*lines] or [f"exit code {code}"]
                self._end("failed", errors[-1])
            elif self.program and has_torch(Path(self.program)):
                self._end("done", "")
            else:
                self._end("failed", "PyTorch wasn't installed")
        except (OSError, ValueError) as error:
            self._end("failed", str(error))
        if self.state != "done":
            self.status = "removing what was made"
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, state: Literal["done", "failed"], error: str) -> None:
        with self._lock:
            if self.state == "running":
                self.state, self.error = state, error

    def _run_child(self, command: list[str], lines: deque[str]) -> int:
        """Runs a program to its end and reads its output; returns its code."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
        with self._lock:
            if self.state != "running":
                return 1
            self._child = subprocess.Popen(  # noqa: S603 - Blender's own Python, without a shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=kept,
                creationflags=NO_WINDOW,
            )
        with self._child as child:
            assert child.stdout is not None
            for line in child.stdout:
                self._read_line(line.strip(), lines)
        return child.returncode

    def _read_line(self, line: str, lines: deque[str]) -> None:
        """Takes status and progress from a line of pip's: the largest download stands for all."""
        if match := RAW_PROGRESS.fullmatch(line):
            done, whole = map(int, match.groups())
            if whole > 1 << 24:
                self.progress = max(self.progress, BEGUN + (DOWNLOADED - BEGUN) * done / whole)
            return
        if line.startswith(("Collecting", "Downloading", "Installing")):
            self.status = " ".join(line.split()[:2])[:60]
        if line.startswith("Installing"):
            self.status, self.progress = "installing PyTorch", DOWNLOADED
        if line:
            lines.append(line)


def _pip_version(lines: Iterable[str]) -> tuple[int, ...]:
    """Returns the version in what `pip --version` says, such as (24, 1); (0,) if it says none."""
    found = next((match for line in lines if (match := PIP_VERSION.match(line))), None)
    return tuple(map(int, found.groups())) if found else (0,)
