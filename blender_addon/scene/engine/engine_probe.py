"""Tests in a separate process whether an engine can render: without EGL the graphics card's abort the whole process."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache

import bpy

from ..materials.compat import EEVEE
from .render_engine import ENGINE

TIMEOUT = 600
"""Seconds to wait for the test render, which takes some on a busy machine, and compiles the shaders of EEVEE."""
MARK = "innerwalk: rendered"
SCRIPT = """
import os, sys
import bpy

class Probe(bpy.types.RenderEngine):
    bl_idname, bl_label, bl_use_gpu_context = "{own}", "Probe", True
    def render(self, depsgraph):
        import gpu
        target = gpu.types.GPUOffScreen(8, 8, format="RGBA32F")
        with target.bind():
            gpu.state.active_framebuffer_get().clear(color=(1.0, 0.5, 0.0, 1.0))
        self.end_result(self.begin_result(0, 0, 8, 8))

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.utils.register_class(Probe)
scene = bpy.context.scene
scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine = "{engine}"
scene.render.resolution_x = scene.render.resolution_y = 8
scene.eevee.taa_render_samples = 1
bpy.ops.render.render()
sys.stdout.write("\\n{mark}\\n")
sys.stdout.flush()
os._exit(0)  # the destructors of Blender 4.5 now and then wait forever
"""


def eevee_works() -> bool:
    """Renders 8 × 8 pixels with EEVEE in another process; returns whether that worked."""
    return _renders(EEVEE)


def hall_engine_works() -> bool:
    """Returns whether Innerwalk's engine can render here; tests it in another process if Blender has no window."""
    return not bpy.app.background or _renders(ENGINE)


@lru_cache(maxsize=2)
def _renders(engine: str) -> bool:
    script = SCRIPT.format(engine=engine, own=ENGINE, mark=MARK)
    try:
        command = [*_blender(), script]  # this very program and a script of ours
        result = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0 and MARK.encode() in result.stdout


def _blender() -> list[str]:
    """Returns the command that runs a script with this bpy: Python if bpy is a module, else Blender."""
    if bpy.app.module:
        return [sys.executable, "-c"]
    return [bpy.app.binary_path, "--background", "--factory-startup", "--python-expr"]
