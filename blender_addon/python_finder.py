"""Finds a Python that probably has torch, by the files of its environment; nothing is run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = ("bin/python3", "bin/python", "python.exe", "Scripts/python.exe")
"""Paths that the program may have in an environment."""


OWN_FOLDER = "innerwalk"
"""Folder of the home folder in which `install_command` makes an environment."""


def install_command(windows: bool = os.name == "nt") -> str:
    """Returns the line for a terminal that makes an environment with PyTorch, where `find_python` finds it."""
    if windows:
        folder = rf"%USERPROFILE%\{OWN_FOLDER}"
        return rf"py -m venv {folder} && {folder}\Scripts\pip install torch torchvision pillow"
    return f"python3 -m venv ~/{OWN_FOLDER} && ~/{OWN_FOLDER}/bin/pip install torch torchvision pillow"


def find_python(environment: Mapping[str, str] = os.environ) -> str:
    """Returns the first Python with torch, of the active environment, the search path or `install_command`, or ""."""
    return next((str(path) for path in _candidates(environment) if path.is_file() and has_torch(path)), "")


def has_torch(python: Path) -> bool:
    """Returns whether torch is in one of the folders where this Python looks for packages."""
    return bool(package_folders(str(python), "torch"))


def package_folders(python: str, package: str) -> list[Path]:
    """Returns where a Python has a package: a folder, or none."""
    program = Path(python)
    folder = program.parent
    root = folder.parent if folder.name in ("bin", "Scripts") else folder
    packages = [*root.glob("lib/python3*/*-packages"), root / "Lib" / "site-packages"]
    if not (root / "pyvenv.cfg").exists():
        packages += Path.home().glob(".local/lib/python3*/site-packages")
    return [each / package for each in packages if (each / package).is_dir()][:1]


def program_in(folder: Path) -> str:
    """Returns the Python program of an environment's folder, or of its folder of programs; "" if it has none."""
    places = (folder / name for name in (*NAMES, "python3", "python"))
    return next((str(place) for place in places if place.is_file()), "")


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environment.get(name):
            yield from (Path(environment[name], program) for program in NAMES)
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield from (Path(folder, name) for name in ("python3", "python", "python.exe") if folder)
    yield from (Path.home() / OWN_FOLDER / name for name in NAMES)
