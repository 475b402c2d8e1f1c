"""Both eyes' colours of a panel beside numpy's, new maps in the next frame, and a scene that shows something else."""

from dataclasses import replace

import bpy
import bridge_helpers as at
import numpy as np
import own_engine
import session as rig
import walk_helpers
from mathutils import Vector

LAYER, DISTANCE = "stage3.0.conv2", 0.75
SAMPLES = 10
"""Texels that are read in the picture of each eye."""


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    rig.view3d().space.shading.type = "WIREFRAME"
    yield 0.5
    yield from walk_helpers.begin()
    eyes = walk_helpers.Eyes()
    stand_before(LAYER)
    yield from walk_helpers.frames(4)
    rng = np.random.default_rng(0)
    rig.report("colours", differences(eyes, "near", rng))
    yield from follows(eyes, rng)
    yield from with_a_cube()
    at.act("end_walk")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)


def stand_before(layer: str) -> None:
    """Stands before the middle of a panel."""
    panel = at.panels()[layer]
    columns, rows, width, height = panel["innerwalk_grid"]
    middle = panel.matrix_world @ Vector((columns * width / 2, rows * height / 2, 0.0))
    normal = panel.matrix_world.to_quaternion() @ Vector((0, 0, 1))
    place, yaw = middle + DISTANCE * normal, float(np.arctan2(normal.x, -normal.y))
    walk_helpers.walk().body.stand((place.x, place.y), yaw)


def differences(eyes, name: str, rng: np.random.Generator) -> list[float]:
    """Differences 0..255 of texels' middles in the pictures of both eyes from numpy, of random texels in view."""
    taken, found = walk_helpers.eyes(name), []
    texels = list(dict(own_engine.texels_of(LAYER)).values())
    for side in range(2):
        inside = [(place, wanted) for place, wanted in texels if eyes.sees(side, place)]
        for k in rng.choice(len(inside), SAMPLES, replace=False):
            place, wanted = inside[k]
            column, row = eyes.pixel(side, place)
            found.append(float(np.abs(taken[row, column] - wanted).max()))
    return found


def follows(eyes, rng: np.random.Generator) -> rig.Steps:
    """Shows other maps; the next frame has them."""
    panel, maps = at.panels()[LAYER], own_engine.shown_maps(LAYER)
    drawn = walk_helpers.DrawnMaps()
    at.addon("blender_addon.scene.panels").show_maps(panel, replace(maps, texels=-maps.texels[::-1].copy()))
    yield from walk_helpers.frames(1)
    rig.check("the frame after new maps has them", drawn.frames > 0 and not drawn.wrong)
    drawn.end()
    yield from walk_helpers.frames(4)
    rig.report("new colours", differences(eyes, "new maps", rng))


def with_a_cube() -> rig.Steps:
    """A cube is shown by Blender, in Material Preview, and one line says so; without it all is as before."""
    headset, settings = walk_helpers.headset(), bpy.context.window_manager.xr_session_settings
    with rig.view3d().context():
        bpy.ops.mesh.primitive_cube_add(size=0.4, location=walk_helpers.floor(1.0) + Vector((0, 0, 1.2)))
    cube = bpy.context.active_object
    yield from rig.until("Material Preview", lambda: settings.shading.type == "MATERIAL", 60)
    rig.check("one line says so", headset.walk.message.startswith("shown in Material Preview: the material of mesh"))
    yield from walk_helpers.frames(2)
    walk_helpers.eyes("with a cube")
    bpy.data.objects.remove(cube)
    yield from rig.until("the hall's engine", lambda: settings.shading.type == "SOLID", 60)
    rig.check("meshes are left to the hall's engine again", not settings.show_object_viewport_mesh)
    yield from walk_helpers.frames(4)
    walk_helpers.eyes("without the cube")
