"""Clicks tiles and arranges the hall by handles, list, menu and colours; Blender's own selection still works."""

import bpy
import numpy as np
import session as rig
from mathutils import Matrix, Vector

LAYER, CHANNEL = "stage1.0.conv2", 5
HANDLE = 45
"""Pixels from the centre of the handles to a point on a shaft, outside the ring."""


def panel(layer: str = LAYER) -> bpy.types.Object:
    return next(panel for panel in bpy.context.scene.objects if panel.get("innerwalk_id") == layer)


def selected() -> tuple[str, int]:
    return bpy.context.scene.get("innerwalk_layer", ""), bpy.context.scene.get("innerwalk_channel", -1)


def active() -> bpy.types.Object:
    return rig.view3d().window.view_layer.objects.active


def tile(channel: int) -> rig.Place:
    """Pixel of the window that shows the centre of a tile."""
    columns, rows, width, height = panel()["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    return rig.pixel(panel().matrix_world @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0)))


def undo(**redo: bool) -> rig.Steps:
    """Ctrl-Z, or Ctrl-Shift-Z. Simulated keys leave the modifiers pressed, which would break drags: releases them."""
    place = rig.middle(rig.view3d().region)
    yield from rig.press("Z", place, ctrl=True, **redo)
    for key in ("LEFT_CTRL", "LEFT_SHIFT"):
        yield from rig.event(key, "RELEASE", place)
    yield 0.3


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.look("SOLID", camera=False)
    with rig.view3d().context():
        bpy.ops.innerwalk.jump("INVOKE_DEFAULT", True, layer=LAYER)
    yield 1.0
    yield from clicks()
    yield from others()
    yield from handles()
    yield from sidebar()


def clicks() -> rig.Steps:
    rig.check("jumping selects", selected() == (LAYER, -1))
    for channel in (CHANNEL, 0):
        yield from rig.click(tile(channel))
        rig.check(f"a click on tile {channel} selects it", selected() == (LAYER, channel) and active() == panel())
    yield from undo()
    rig.check("a click is undone", selected() == (LAYER, CHANNEL))
    yield from undo(shift=True)
    rig.check("and done again", selected() == (LAYER, 0))


def floor() -> rig.Place:
    """A place of the 3D view that shows the floor."""
    part = rig.view3d().region
    return part.x + part.width * 0.45, part.y + 30


def others() -> rig.Steps:
    yield from rig.click(floor())
    rig.check("empty ground selects nothing", selected() == ("", -1) and not bpy.context.selected_objects)
    eye = rig.view3d().space.region_3d.view_matrix.inverted()
    cube = bpy.data.objects.new("Mine", bpy.data.meshes.new("Mine"))
    corner = 0.05
    points = [(x, y, z) for x in (-corner, corner) for y in (-corner, corner) for z in (-corner, corner)]
    cube.data.from_pydata(
        points, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    )
    bpy.context.scene.collection.objects.link(cube)
    cube.matrix_world = eye @ Matrix.Translation((0.0, 0.0, -1.0))
    yield 0.3
    place = rig.pixel(cube.matrix_world.translation)
    yield from rig.click(place)
    rig.check("a person's own thing is selected as ever", active() == bpy.data.objects["Mine"])
    rig.check("and nothing behind it", selected() == ("", -1))
    bpy.data.objects.remove(bpy.data.objects["Mine"])
    yield 0.5
    yield from rig.click(floor())
    first, last = tile(0), tile(8)
    yield from rig.drag((first[0] - 20, first[1] + 10), (last[0], last[1]))
    yield from rig.until("a box selects as ever", lambda: LAYER in {each.name for each in bpy.context.selected_objects})
    rig.check("and is no click", selected() == ("", -1))
    yield from rig.click(tile(CHANNEL))
    rig.look(camera=False)
    yield from rig.settled()
    rig.picture("selected")
    rig.look("SOLID", camera=False)


def handles() -> rig.Steps:
    yield from drawn("across", Vector((1, 0, 0)), lambda by: abs(by[0]) > 0.05 and abs(by[1]) + abs(by[2]) < 1e-4)
    yield from drawn("along", Vector((0, 1, 0)), lambda by: abs(by[1]) > 0.05 and abs(by[0]) + abs(by[2]) < 1e-4)
    low, size = foot(), panel().scale.x
    yield from pulled(Vector((0, 0, 1)), 0.5)
    rig.check("the size handle scales", abs(panel().scale.x / size - 1) > 0.05)
    rig.check("on its foot", (foot() - low).length < 1e-3)
    rig.picture("scaled")
    yield from undo()
    rig.check("which is undone", abs(panel().scale.x - size) < 1e-5)


def foot() -> Vector:
    columns, _, width, _ = panel()["innerwalk_grid"]
    return panel().matrix_world @ Vector((columns * width / 2, 0, 0))


def drawn(name: str, axis: Vector, holds) -> rig.Steps:
    before = panel().matrix_world.translation.copy()
    yield from pulled(axis, 0.4)
    rig.check(f"the handle {name} the aisle moves the panel", holds(panel().matrix_world.translation - before))
    rig.picture(name)
    yield from undo()
    rig.check(f"{name} is undone", (panel().matrix_world.translation - before).length < 1e-5)


def pulled(axis: Vector, metres: float) -> rig.Steps:
    """Drags the handle along an axis by the middle of its shaft."""
    start = foot() + panel().matrix_world.to_quaternion() @ Vector((0, 0, 0.25))
    at, further = (np.array(rig.pixel(start + axis * share)) for share in (0.0, 0.2))
    toward = (further - at) / np.linalg.norm(further - at)
    handle = at + toward * HANDLE
    yield from rig.drag(tuple(handle), tuple(handle + toward * 120 * metres / 0.4))
    yield 0.3


def sidebar() -> rig.Steps:
    scene = bpy.context.scene
    with rig.view3d().context():
        bpy.ops.innerwalk.collapse("INVOKE_DEFAULT", True, block="stage1")
        scene.innerwalk_look_colour_map = "ember"
    rig.look(camera=False)
    yield from rig.settled()
    rig.picture("collapsed")
    rig.look("SOLID", camera=False)
    yield from undo()
    rig.check("collapsing is undone", panel() is not None)
    yield from rig.search("solo panel")
    yield 0.5
    rig.check("a menu entry works", bpy.context.scene.get("innerwalk_solo") == LAYER)
    rig.picture("alone")
