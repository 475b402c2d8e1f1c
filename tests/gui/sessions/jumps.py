"""Jumps to panels with sidebars, bars and the overlay's text open; frames the selected tile, and steps to others."""

import bpy
import bridge_helpers as at
import session as rig
from mathutils import Vector

TILES, CHANNEL, COLUMNS = "stage3.1:add", 30, 9
"""A layer, one of its channels and the columns of its tiles."""
LAYERS = ("stem.conv", "stage1.0.conv2", "stage3.1:add", "head.fc")


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
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
    yield from tiles()


def tiles() -> rig.Steps:
    at.act("jump", layer=TILES)
    yield from rig.settled()
    yield from rig.click(at.tile(TILES, CHANNEL))
    rig.check("a click selects the tile", selected() == CHANNEL)
    yield from rig.settled()
    rig.check("it is framed", marked(rig.picture("framed"), CHANNEL))
    frame = bpy.context.scene.frame_current
    for key, wanted in (("RIGHT_ARROW", CHANNEL + 1), ("DOWN_ARROW", CHANNEL + 1 + COLUMNS), ("UP_ARROW", CHANNEL + 1)):
        yield from rig.press(key, rig.middle(rig.view3d().region))
        rig.check(f"{key} goes to its neighbour", selected() == wanted)
    yield from rig.settled()
    taken = rig.picture("stepped")
    rig.check("the frame has moved along", marked(taken, CHANNEL + 1) and not marked(taken, CHANNEL - 1))
    rig.check("the timeline has not", bpy.context.scene.frame_current == frame)
    at.act("pick", origin=(0, -500, 300), direction=(0, 0, 1))
    bpy.context.scene["innerwalk_channel"] = -1
    yield from rig.press("RIGHT_ARROW", rig.middle(rig.view3d().region))
    rig.check("without a tile, the key is Blender's own", bpy.context.scene.frame_current == frame + 1)


def selected() -> int:
    return bpy.context.scene["innerwalk_channel"]


def marked(taken, channel: int) -> bool:
    """Whether the left edge of a tile has the colour of the frame in a picture."""
    x, y = at.tile(TILES, channel)
    edge = at.addon("blender_addon.scene.panels").tile_corners(at.panels()[TILES], channel)
    middle = [sum(axis) / 2 for axis in zip(edge[0], edge[3], strict=True)]
    x, y = rig.pixel(at.panels()[TILES].matrix_world @ Vector((*middle, 0)))
    colours = [rig.colour(taken, (x + by, y)) for by in range(-3, 4)]
    return any(red > 220 and green > 200 and blue < 160 for red, green, blue in colours)


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
