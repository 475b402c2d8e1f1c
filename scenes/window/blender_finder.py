"""Finds the Blender program of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ...torch_bridge.recording.errors import SceneError

OLDEST = (4, 5)
"""First version of Blender that Innerwalk runs in."""
VARIABLE = "INNERWALK_BLENDER"
"""Environment variable that names the program."""
USUAL_PLACES = {
    "darwin": (
        "/Applications/Blender*.app/Contents/MacOS/Blender", "~/Applications/Blender*.app/Contents/MacOS/Blender",
    ),
    "win32": ("C:/Program Files/Blender Foundation/Blender */blender.exe",),
    "linux": (
        "~/blender*/blender", "/opt/blender*/blender", "/snap/bin/blender",
        "/var/lib/flatpak/exports/bin/org.blender.Blender", "~/.local/share/flatpak/exports/bin/org.blender.Blender",
    ),
}  # fmt: skip
"""Where installers and unpacked archives put Blender, by `sys.platform`."""
HINT = f"name it by --blender or the variable {VARIABLE}"


def find_blender(named: Path | str | None = None) -> Path:
    """Returns the program to start: the named one, that of the variable, that of the path, or the newest installed.

    Raises SceneError if there is none, or it is older than OLDEST.
    """
    named = named or os.environ.get(VARIABLE)
    for program in [Path(named).expanduser()] if named else _installed():
        version = blender_version(program)
        if version >= OLDEST:
            return program
        if named:
            what = f"is Blender {version[0]}.{version[1]}" if any(version) else "doesn't run as Blender"
            raise SceneError(f"{program} {what}; Blender {OLDEST[0]}.{OLDEST[1]} or newer is needed")
    raise SceneError(f"no Blender {OLDEST[0]}.{OLDEST[1]} or newer is found on this machine; {HINT}")


def blender_version(program: Path) -> tuple[int, int]:
    """Returns (major, minor) as the program tells it; (0, 0) if it can't be run or is something else."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program that a person named or installed
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    found = re.search(r"^Blender (\d+)\.(\d+)", answer.stdout, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _installed() -> list[Path]:
    """The program of the path, then those in the usual places, the highest version in a name first."""
    on_path = shutil.which("blender")
    places = USUAL_PLACES.get(sys.platform, ())
    found = [path for place in places for path in _matching(Path(place).expanduser())]
    return [*([Path(on_path)] if on_path else []), *sorted(found, key=_numbers, reverse=True)]


def _matching(pattern: Path) -> list[Path]:
    return [path for path in Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))) if path.is_file()]


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
