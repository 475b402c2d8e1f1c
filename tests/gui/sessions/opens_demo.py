"""Installs the zip, opens the demo, clicks the input, and checks its colours; the other Python has torch."""

import subprocess

import bpy
import session as rig
from mathutils import Vector


def by_role(role: str) -> list[bpy.types.Object]:
    return [holder for holder in bpy.context.scene.objects if holder.get("innerwalk_role") == role]


def session() -> rig.Steps:
    rig.install()
    rig.check("the demo opens", bpy.ops.innerwalk.open_demo() == {"FINISHED"})
    rig.report("panels", len(by_role("panel")))
    yield from rig.sidebar("Innerwalk")
    rig.look()
    yield from rig.settled()

    (shown,) = by_role("input")
    left, right = (shown.matrix_world @ corner.co for corner in (shown.data.vertices[0], shown.data.vertices[2]))
    rocket = (left + right) / 2 + Vector((0, 0, 0.1 * abs(left.z - right.z)))
    rig.report("rocket in the input", rig.colour(rig.picture("hall"), rig.pixel(rocket)))
    yield from rig.click(rig.pixel(rocket))
    rig.report("clicked", rig.view3d().window.view_layer.objects.active.get("innerwalk_role"))
    yield from rig.settled()
    rig.picture("clicked")
    rig.report("torch", subprocess.run([rig.PYTHON, "-c", "import torch; print(torch.ones(2, 3).sum().item())"],
                                 capture_output=True, text=True, check=False).stdout)  # fmt: skip
