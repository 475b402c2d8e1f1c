"""Tests in a separate process whether EEVEE can render: without EGL it aborts the whole process (status 134)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import bpy

from ..materials.compat import EEVEE

TIMEOUT = 120
"""Seconds to wait for the test render, which compiles the shaders of EEVEE."""

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
    """Renders 8 × 8 pixels with EEVEE in another process; returns whether that worked."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.png"
        script = SCRIPT.format(engine=EEVEE, path=str(path))
        try:
            command = [*_blender(), script]  # this very program and a script of ours
            result = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return False
        return result.returncode == 0 and path.is_file() and path.stat().st_size > 0


def _blender() -> list[str]:
    """Returns the command that runs a script with this bpy: Python if bpy is a module, else Blender."""
    if bpy.app.module:
        return [sys.executable, "-c"]
    return [bpy.app.binary_path, "--background", "--factory-startup", "--python-expr"]
