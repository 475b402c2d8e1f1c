"""Jumps to panels of several sizes with sidebars, bars and the overlay's text open: each is framed beside them."""

import bpy
import bridge_helpers as at
import session as rig
from mathutils import Vector

LAYERS = ("stem.conv", "stage1.0.conv2", "stage3.1:add", "head.fc")


def session() -> rig.Steps:
    rig.install()
    bpy.ops.innerwalk.open_demo()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    space = rig.view3d().space
    space.show_region_toolbar, space.overlay.show_stats = True, True
    rig.look("RENDERED", camera=False)
    yield 0.5
    for layer in [id for id in LAYERS if id in at.panels()]:
        at.act("jump", layer=layer)
        yield 0.3
        rig.check(f"{layer} lies beside the sidebars and below the text", framed(layer))
    yield from rig.settled()
    rig.picture("jumped")


def framed(layer: str) -> bool:
    """Whether all corners of a panel are in the part of the view that is free."""
    panel, (_, area, part, _) = at.panels()[layer], rig.view3d()
    free = at.addon("blender_addon.scene.view.viewport").free_part(area, part)
    columns, rows, width, height = panel["innerwalk_grid"]
    corners = [(x, y, 0) for x in (0, columns * width) for y in (0, rows * height)]
    places = [rig.pixel(panel.matrix_world @ Vector(corner)) for corner in corners]
    bars = rig.region("UI").x, rig.region("TOOLS").x + rig.region("TOOLS").width
    return all(
        max(part.x + free.left, bars[1]) <= x <= min(part.x + free.left + free.width, bars[0])
        and part.y + free.bottom <= y <= part.y + free.bottom + free.height
        for x, y in places
    )
