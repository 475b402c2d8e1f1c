"""Jumps to panels with sidebars, bars and the overlay's text open; frames the selected tile, and steps to others.

A panel that stands in front of half the tile makes half its frame faint.
"""

import bpy
import bridge_helpers as at
import session as rig
from mathutils import Matrix, Vector

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
    yield from hides()
    at.act("pick", origin=(0, -500, 300), direction=(0, 0, 1))
    bpy.context.scene["innerwalk_channel"] = -1
    yield from rig.press("RIGHT_ARROW", rig.middle(rig.view3d().region))
    rig.check("without a tile, the key is Blender's own", bpy.context.scene.frame_current == frame + 1)


def hides() -> rig.Steps:
    """Moves a panel between the eye and the right half of the selected tile, and away again."""
    panel, front, channel = at.panels()[TILES], at.panels()["stem.conv"], selected()
    corners = at.addon("blender_addon.scene.panels").tile_corners(panel, channel)
    centre = panel.matrix_world @ (sum((Vector((*corner, 0)) for corner in corners), Vector()) / 4)
    eye, before = rig.view3d().space.region_3d.view_matrix.inverted().translation, front.matrix_world.copy()
    columns, rows, width, height = front["innerwalk_grid"]
    there = panel.matrix_world.to_quaternion().to_matrix().to_4x4() @ Matrix.Translation((0.05, -rows * height / 2, 0))
    front.matrix_world = Matrix.Translation(centre.lerp(eye, 0.2)) @ there
    yield from rig.settled()
    taken = rig.picture("half hidden")
    rig.check("what is in front hides no more than it covers", marked(taken, channel))
    rig.check("the frame is faint where it is hidden", not marked(taken, channel, "right"))
    front.matrix_world = Matrix.Translation((-0.5, 0, 0)) @ front.matrix_world
    yield from rig.settled()
    rig.check("hidden as a whole it is faint", not marked(rig.picture("hidden"), channel))
    front.matrix_world = before
    yield from rig.settled()
    rig.check("with nothing in front it is whole", marked(rig.picture("free"), channel, "right"))


def selected() -> int:
    return bpy.context.scene["innerwalk_channel"]


def marked(taken, channel: int, side: str = "left") -> bool:
    """Whether the left or right edge of a tile has the colour of the frame in a picture."""
    corners = at.addon("blender_addon.scene.panels").tile_corners(at.panels()[TILES], channel)
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    place = Vector((left if side == "left" else right, sum(y for _, y in corners) / 4, 0))
    x, y = rig.pixel(at.panels()[TILES].matrix_world @ place)
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
