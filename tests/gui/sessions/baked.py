"""Compares the demo's hall with baked colours in solid view to its shader; afterwards nothing baked is left."""

import importlib

import bpy
import session as rig
from mathutils import Vector

LAYER = "stage1.0.conv2"
BUDGET = 1 << 30


def ours(name: str):
    """A module of the extension."""
    return importlib.import_module(f"bl_ext.user_default.innerwalk.blender_addon.{name}")


def of_role(role: str) -> bpy.types.Object:
    return next(holder for holder in bpy.context.scene.objects if holder.get("innerwalk_role") == role)


def spots(where: str) -> dict[str, rig.Place]:
    """Pixels that show floor, board and input, or the centres of some texels of tiles."""
    if where == "entrance":
        board, picture = of_role("title").matrix_world, of_role("input").matrix_world
        points = {"board": board @ Vector((1.9, 1.1, 0.0)), "input": picture @ Vector((0.4, 0.4, 0.0)),
                  "floor": Vector((0.0, 1.0, 0.0)), "aisle": Vector((0.8, 3.2, 0.0))}  # fmt: skip
    else:
        panels = ours("scene.panels")
        panel = panels.panel_of(bpy.context.scene, LAYER)
        grid, texels = panels.grid_of(panel), ((10.5 / 32, 13.5 / 32), (20.5 / 32, 18.5 / 32))
        points = {f"tile {k} at {u}": panel.matrix_world @ Vector((*grid.inside(k, u, v), 0.0))
                  for k in range(0, 24, 3) for u, v in texels}  # fmt: skip
    return {name: rig.pixel(point) for name, point in points.items()}


def seen(where: str, how: str) -> None:
    """Reports the colours of the window's picture at the spots."""
    taken = rig.picture(f"{where}_{how}")
    rig.report(f"{where} {how}", {what: rig.colour(taken, at) for what, at in spots(where).items()})


def session() -> rig.Steps:
    rig.install()
    bpy.ops.innerwalk.open_demo()
    yield from rig.maximise()
    bpy.context.scene.eevee.taa_samples = 1
    bpy.context.preferences.system.viewport_aa = "OFF"
    rig.view3d().space.overlay.show_overlays = False
    rig.look(camera=True)
    yield from compared("entrance")
    rig.view3d().space.region_3d.view_perspective = "PERSP"
    with rig.view3d().context():
        bpy.ops.innerwalk.jump("INVOKE_DEFAULT", True, layer=LAYER)
    yield from compared("near")


def compared(where: str) -> rig.Steps:
    baking, shading = ours("scene.hall.baking"), ours("scene.view.view_shading")
    scene, space = bpy.context.scene, rig.view3d().space
    before = shading.set_shading(scene, space.shading, "preview")
    yield from rig.settled()
    seen(where, "preview")
    held = shading.set_shading(scene, space.shading, "baked")
    for _ in baking.bake(scene, space.region_3d.view_matrix.inverted(), BUDGET):
        yield  # a step at a time, and the view is drawn between them
    yield from rig.settled()
    seen(where, "baked")
    shading.restore_shading(space.shading, held)
    rig.check(f"{where}: the shading is put back", space.shading.type == "MATERIAL")
    shading.restore_shading(space.shading, before)
    baking.unbake(scene)
    rig.check(f"{where}: nothing is left", not baking.is_baked(scene))
