"""A checkout of the project with the Python that runs its commands."""

from __future__ import annotations

import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import blend_dump
from .blend_dump import digest
from .commands import DATA, INPUTS

LAUNCHER = """
import importlib, os, sys
sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, "__module__", "").startswith("__editable__")]
module, name = sys.argv[1].split(":")
sys.argv[:] = ["innerwalk", *sys.argv[2:]]
main = getattr(importlib.import_module(module), name)
root = os.path.realpath(os.path.dirname(sys.modules["innerwalk"].__file__))
sys.exit(main() if root == os.environ["CHECKOUT"] else f"innerwalk was imported from {root}")
"""
"""The console script without the finder of an editable install, which could supply modules of another checkout."""
ENVIRONMENT = {"OMP_NUM_THREADS": "2", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120", "PYTHONHASHSEED": "0"}
"""Results depend on the number of threads; checkouts are left as they are."""


@dataclass(frozen=True)
class Checkout:
    """A checkout, its Python and the folder of its results."""

    root: Path
    python: Path
    results: Path
    import_folder: Path
    """A folder in which `innerwalk` is a link to the checkout."""

    def link_folders(self, inputs: Path) -> None:
        """Creates the folder of results with a link to `inputs`, and the import folder with a link to the checkout."""
        for folder, name, target in ((self.results, INPUTS, inputs), (self.import_folder, "innerwalk", self.root)):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)

    @property
    def process_options(self) -> dict[str, Any]:
        """Keyword arguments of `subprocess` for the checkout's processes: working folder, environment and text mode."""
        paths = {"PYTHONPATH": str(self.import_folder), "CHECKOUT": str(self.root)}
        return {"cwd": self.results, "env": os.environ | ENVIRONMENT | paths, "text": True}

    def command_line(self, arguments: str) -> list[str]:
        """Returns the command line of `innerwalk` with these arguments, which are separated by spaces."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return [str(self.python), "-P", "-c", LAUNCHER, project["scripts"]["innerwalk"], *arguments.split()]

    def run(self, name: str, arguments: str) -> None:
        """Runs a command of `innerwalk` that writes its results to `name`.

        Writes its status and output to `name.txt`, its errors to `name.stderr` and the content of `name.blend`, if it
        wrote one, to `name.json`. Errors are output, too, where the status says that the user made a mistake.
        """
        command = self._run_process(self.command_line(arguments))
        status, errors = command.returncode, command.stderr
        if (blend := self.results / f"{name}.blend").exists():
            dump = self._run_process([str(self.python), "-P", blend_dump.__file__, str(blend)])
            status, errors = status or dump.returncode, errors + dump.stderr
        output = command.stdout + (command.stderr if status == 2 else "")
        (self.results / f"{name}.txt").write_text(f"status {status}\n{output}", encoding="utf-8")
        (self.results / f"{name}.stderr").write_text(errors, encoding="utf-8")

    def _run_process(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, **self.process_options, capture_output=True, check=False)


def cache_key(root: Path, python: Path) -> str:
    """Returns a hash of all that results depend on: revision and changes of a checkout, Python, this package, data.

    Untracked files of the checkout count by their names only.
    """
    package = sorted(Path(__file__).parent.glob("*.py"))
    parts = [str(python).encode(), str(DATA).encode(), *(path.read_bytes() for path in package)]
    for arguments in ("rev-parse HEAD", "diff HEAD", "status --short"):
        command = ["git", "-C", str(root), *arguments.split()]
        parts.append(subprocess.run(command, capture_output=True, check=True).stdout)
    return digest(b"|".join(parts))
