"""Whether EEVEE can run here, asked in a process of its own: without EGL it ends the whole process (status 134)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import bpy

from ..materials.compat import EEVEE

TIMEOUT = 120
"""Seconds: the first EEVEE picture compiles its shaders."""

SCRIPT = """
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine, scene.render.filepath = {engine!r}, {path!r}
scene.render.resolution_x = scene.render.resolution_y = 8
scene.eevee.taa_render_samples = 1
bpy.ops.render.render(write_still=True)
"""


@lru_cache(maxsize=1)
def eevee_works() -> bool:
    """True when a picture of 8 by 8 pixels was rendered with EEVEE."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.png"
        script = SCRIPT.format(engine=EEVEE, path=str(path))
        try:
            done = subprocess.run([*_blender(), script], capture_output=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0 and path.is_file() and path.stat().st_size > 0


def _blender() -> list[str]:
    """The command that runs a script with this bpy: Python where it is a module, else Blender itself."""
    if bpy.app.module:
        return [sys.executable, "-c"]
    return [bpy.app.binary_path, "--background", "--factory-startup", "--python-expr"]
