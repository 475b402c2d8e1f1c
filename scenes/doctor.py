"""`innerwalk doctor`: checks what this machine can run and says how to fix what it can't.

Blender is checked in a child process, because a missing graphics driver aborts it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..torch_bridge.recording.errors import InnerwalkError
from ..torch_bridge.recording.files import parse_json, read_file
from ..torch_bridge.version import VERSION

DEBIAN_LIBRARIES = "libgl1 libegl1 libsm6 libxfixes3 libxi6 libxkbcommon0 libxrender1"
INSTALL = f"{sys.executable} -m pip install"
TORCH, TORCHVISION, BPY = "torch==2.13.0", "torchvision==0.28.0", "bpy==5.0.1"
DISK_NEEDED = 2 << 30
"""Bytes of disk that the recording and the hall of a large network may take together."""
MAX_RUNTIME = 1 << 20
"""Bytes of an OpenXR runtime's description."""

BLENDER = """
import json, sys
import bpy, numpy
cycles = bpy.context.preferences.addons["cycles"].preferences
cycles.refresh_devices()
fonts = bpy.utils.system_resource("DATAFILES", path="fonts")
print("\\nFOUND " + json.dumps({
    "version": bpy.app.version_string, "openxr": bpy.app.build_options.xr_openxr, "fonts": fonts,
    "devices": [f"{device.name} ({device.type})" for device in cycles.devices if device.type != "CPU"],
}))
"""


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    name: str
    state: Literal["ok", "part", "no"]
    text: str
    fix: str = ""
    """How to install or enable what is missing."""

    def __str__(self) -> str:
        line = f"{self.state:>4}  {self.name:<12} {self.text}"
        return f"{line}\n{'':>19}→ {self.fix}" if self.fix else line


def examine() -> list[Finding]:
    """Runs every check; a check that raises becomes a finding too."""
    return [_checked(name, check) for name, check in CHECKS.items()]


def _checked(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except (InnerwalkError, OSError, ImportError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        return Finding(name, "no", f"{type(error).__name__}: {error}".splitlines()[0])


def _version(package: str) -> str:
    return importlib.metadata.version(package) if importlib.util.find_spec(package) else ""


def _parts(version: str) -> tuple[int, ...]:
    """ "4.5.15 LTS" -> (4, 5)."""
    return tuple(int(part) for part in version.split(".")[:2])


def check_innerwalk() -> Finding:
    """Says which Innerwalk this is, and where."""
    return Finding("innerwalk", "ok", f"{VERSION} in {Path(__file__).resolve().parent.parent}")


def check_python() -> Finding:
    """Checks the Python version: bpy wheels exist for 3.11 and 3.13."""
    text = f"{platform.python_version()} on {platform.platform(terse=True)}, {os.cpu_count()} cores"
    if sys.version_info[:2] in ((3, 11), (3, 13)):
        return Finding("python", "ok", text)
    return Finding("python", "part", text, "Blender as a module comes for Python 3.11 (4.5, 5.0) and 3.13 (5.2)")


def check_numpy() -> Finding:
    """Checks that numpy fits Blender: 4.5 and 5.0 were built against numpy 1."""
    version = _version("numpy")
    blender = _blender().get("version", "")
    if _parts(version) >= (2,) and blender and _parts(blender) < (5, 1):
        return Finding("numpy", "part", f"{version} beside Blender {blender}", f'{INSTALL} "numpy<2"')
    return Finding("numpy", "ok", version)


def check_torch() -> Finding:
    """Checks PyTorch, which recording needs; scenes and figures don't."""
    if not importlib.util.find_spec("torch"):
        return Finding("torch", "no", "not installed: recordings open, new ones can't be made", f"{INSTALL} {TORCH}")
    import torch

    return Finding("torch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")


def check_torchvision() -> Finding:
    """Checks torchvision, which provides networks by name."""
    if not importlib.util.find_spec("torch"):
        return Finding("torchvision", "no", "needs torch")
    from ..torch_bridge.models.torchvision_import import import_torchvision

    state, version = import_torchvision(), _version("torchvision")
    if state == "absent":
        text = "not installed: networks by name (resnet50) are missing, module:factory works"
        return Finding("torchvision", "no", text, f"{INSTALL} {TORCH} {TORCHVISION}")
    if state == "shim":
        text = f"{version}, built for another torch; its missing operators are replaced, detection is slower"
        return Finding("torchvision", "ok", text)
    return Finding("torchvision", "ok", f"{version}, native")


def check_bridge() -> Finding:
    """Checks which device the bridge runs networks on, and PyAV, which reads videos and sounds."""
    if not importlib.util.find_spec("torch"):
        return Finding("bridge", "no", "needs torch")
    from ..torch_bridge.models.device import choose_device

    where = f"networks run on {choose_device()}"
    if not (pyav := _version("av")):
        return Finding(
            "bridge", "part", f"{where}; no PyAV: it reads videos, cameras and sounds but .wav", f"{INSTALL} av"
        )
    return Finding("bridge", "ok", f"{where}, videos and sounds by PyAV {pyav}")


@cache
def _blender() -> dict[str, Any]:
    """Returns version, devices and fonts of Blender, or why it doesn't load as "error"."""
    if not importlib.util.find_spec("bpy"):
        return {"error": "not installed"}
    command = [sys.executable, "-c", BLENDER]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - ours alone
    if run.returncode:
        return {"error": (run.stderr.strip().splitlines() or [f"ended with {run.returncode}"])[-1]}
    return json.loads(run.stdout.split("\nFOUND ")[1].splitlines()[0])  # lines of Blender's own may come after it


def check_blender() -> Finding:
    """Checks that Blender loads as a module."""
    found = _blender()
    if "version" in found:
        return Finding("blender", "ok", f"bpy {found['version']}")
    if found["error"] == "not installed":
        return Finding("blender", "no", "no bpy: recording works, scenes and figures don't", f"{INSTALL} {BPY}")
    return Finding("blender", "no", found["error"], f"on Debian: apt install {DEBIAN_LIBRARIES}")


def check_engine() -> Finding:
    """Checks whether Innerwalk's render engine works; it needs a graphics driver, at least a software one."""
    if "error" in _blender():
        return Finding("engine", "no", "needs Blender")
    from ..blender_addon.scene.engine import hall_engine_works

    if hall_engine_works():
        return Finding("engine", "ok", "draws figures here")
    return Finding(
        "engine", "part", "no OpenGL: Cycles renders figures, slower", "on Debian: apt install libegl1 libgl1-mesa-dri"
    )


def check_gpu() -> Finding:
    """Checks for GPUs that torch or Cycles can use."""
    found = list(_blender().get("devices", []))
    if importlib.util.find_spec("torch"):
        import torch

        found += [f"{torch.cuda.get_device_name(k)} (torch)" for k in range(torch.cuda.device_count())]
    return Finding("gpu", "ok" if found else "part", ", ".join(found) or "none: everything runs on the processor")


def runtime_files() -> list[Path]:
    """Returns the paths where an OpenXR loader looks for the active runtime on Linux, in order of precedence."""
    if named := os.environ.get("XR_RUNTIME_JSON"):
        return [Path(named)]
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    shared = (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    names = (f"active_runtime.{platform.machine()}.json", "active_runtime.json")
    return [Path(folder, "openxr/1", name) for folder in (home, *shared, "/usr/local/etc", "/etc") for name in names]


def check_openxr() -> Finding:
    """Checks for an active OpenXR runtime, which a headset needs."""
    active = next((path for path in runtime_files() if path.is_file()), None)
    if active is None:
        fix = "start Monado, SteamVR or the headset's own program once, or set XR_RUNTIME_JSON"
        return Finding("openxr", "part", "no active runtime: the hall can't be walked in a headset", fix)
    try:
        runtime = parse_json(read_file(active, MAX_RUNTIME))["runtime"]
        name = str(runtime.get("name", "runtime"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Finding("openxr", "part", f"{active} describes no runtime", "remove it, or set XR_RUNTIME_JSON")
    built = "" if _blender().get("openxr", True) else "; this Blender was built without OpenXR"
    return Finding("openxr", "part" if built else "ok", f"{name} ({active}){built}")


def check_fonts() -> Finding:
    """Checks for the fonts that come with Blender, which all text in halls is set in."""
    if "fonts" not in _blender():
        return Finding("fonts", "no", "needs Blender")
    count = len(list(Path(_blender()["fonts"]).glob("*.woff2"))) if _blender()["fonts"] else 0
    if not count:
        return Finding("fonts", "part", "Blender's own fonts are missing: halls have no text", "reinstall bpy")
    return Finding("fonts", "ok", f"{count} of Blender's own")


def check_disk() -> Finding:
    """Checks free disk space; a recording of ResNet-50 with all layers takes 150 MB."""
    free = shutil.disk_usage(Path.cwd()).free
    text = f"{free / 1e9:.1f} GB free in {Path.cwd()}"
    return Finding("disk", "ok", text) if free > DISK_NEEDED else Finding("disk", "part", text, "free some disk space")


CHECKS: dict[str, Callable[[], Finding]] = {
    "innerwalk": check_innerwalk,
    "python": check_python,
    "numpy": check_numpy,
    "torch": check_torch,
    "torchvision": check_torchvision,
    "bridge": check_bridge,
    "blender": check_blender,
    "engine": check_engine,
    "gpu": check_gpu,
    "openxr": check_openxr,
    "fonts": check_fonts,
    "disk": check_disk,
}
