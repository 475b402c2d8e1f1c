"""Which Python may have torch, guessed from where files lie: nothing is run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = ("bin/python3", "bin/python", "python.exe", "Scripts/python.exe")
"""Where the program is in an environment."""


def find_python(environment: Mapping[str, str] = os.environ) -> str:
    """The first Python beside which torch lies, of the active environment or the search path; "" for none."""
    return next((str(one) for one in _candidates(environment) if one.is_file() and has_torch(one)), "")


def has_torch(python: Path) -> bool:
    """Whether torch lies where this Python keeps its packages."""
    folder = python.parent
    root = folder.parent if folder.name in ("bin", "Scripts") else folder
    packages = [*root.glob("lib/python3*/*-packages"), root / "Lib" / "site-packages"]
    if not (root / "pyvenv.cfg").exists():
        packages += Path.home().glob(".local/lib/python3*/site-packages")
    return any((one / "torch").is_dir() for one in packages)


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environment.get(name):
            yield from (Path(environment[name], program) for program in NAMES)
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield from (Path(folder, name) for name in ("python3", "python", "python.exe") if folder)
