"""Draws card, menu, ray, outline and landing ring of a walk in front of the camera and reads their colours."""

import math
import time

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
from mathutils import Matrix, Vector

LAYER, CHANNEL = "stage1.0.conv2", 9
CARD, MENU = (-0.86, -0.3, -1.0), (0.3, -0.3, -1.0)
"""Lower left corners in the eye's axes, metres."""
POINTED = 2
RING = 0.3


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    yield from rig.maximise()
    rig.look("RENDERED", camera=False)
    with rig.view3d().context():
        bpy.ops.innerwalk.jump("EXEC_DEFAULT", True, layer=LAYER)
    at.addon("blender_addon.actions").select(bpy.context.scene, LAYER, -1)  # the window frames a selected tile itself
    bare()
    yield 0.5
    drawn = Drawn(bpy.context.scene)
    before = len(bpy.data.meshes), len(bpy.data.images), len(bpy.data.fonts)
    handler = bpy.types.SpaceView3D.draw_handler_add(drawn.draw, (), "WINDOW", "POST_VIEW")
    yield from rig.settled()
    seen = rig.picture("drawn")
    bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")
    rig.check("no Blender data is created", before == (len(bpy.data.meshes), len(bpy.data.images), len(bpy.data.fonts)))
    rig.check("it was drawn without an error", drawn.spent and not drawn.errors)
    rig.check("canvases painted in turn look as if painted alone", drawn.in_turn == [True, True])
    rig.report("errors", drawn.errors)
    rig.report("milliseconds of the first draw", drawn.spent[0] * 1e3)
    rig.report("milliseconds of a menu that is painted anew", float(np.median(drawn.repaints)) * 1e3)
    rig.report("milliseconds a draw", float(np.median(drawn.spent)) * 1e3)
    rig.report("colours", {what: rig.colour(seen, rig.pixel(place)) for what, place in drawn.places().items()})
    yield from as_in_a_headset(drawn)


def bare() -> None:
    """Hides Blender's overlays one by one; with all of them off, Blender doesn't call drawing handlers."""
    space = rig.view3d().space
    space.lens, space.show_gizmo = 40, False
    for part in ("floor", "axis_x", "axis_y", "text", "outline_selected", "object_origins", "cursor"):
        setattr(space.overlay, f"show_{part}", False)


def as_in_a_headset(drawn: "Drawn") -> rig.Steps:
    """Draws the card alone, 0.6 m away at 18 pixels a degree, with the resolution of a headset."""
    _, _, part, space = rig.view3d()
    angle = math.radians(1)
    space.lens = 72 * (18 / math.tan(angle)) / part.width  # a pixel in the middle is 1/18 degree, whatever the window
    drawn.card_at, drawn.alone = drawn.at((-0.17, -0.3, -0.6)), True
    handler = bpy.types.SpaceView3D.draw_handler_add(drawn.draw, (), "WINDOW", "POST_VIEW")
    yield from rig.settled()
    ends = [rig.pixel(drawn.card_at @ Vector((x, 0.1, 0))) for x in (0.0, drawn.card.canvas.width)]
    rig.report("card's pixels", math.dist(*ends))
    rig.picture("card")
    bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")


class Drawn:
    """Everything that is drawn, built once."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.gpu, self.menu = (
            at.addon("blender_addon.vr.drawing.gpu_draw"),
            at.addon("blender_addon.vr.display.menu_layout"),
        )
        self.painted_canvas = at.addon("blender_addon.vr.drawing.textures").PaintedCanvas
        inspected = at.addon("blender_addon.actions").inspect_channel(scene, LAYER, CHANNEL)
        canvas = at.addon("blender_addon.vr.display.card").draw_card(
            f"{LAYER} · {CHANNEL}", [("Shape", "24 channels of 32 × 32"), *inspected.facts], inspected.pictures["map"],
            inspected.ends["map"], ("Maximisation", 0.4), "",
        )  # fmt: skip
        self.page = at.addon("blender_addon.vr.display.menu_pages").page(scene, "root")
        self.card, self.board = self.painted_canvas(canvas), self.painted_canvas(self.menu.draw(self.page, POINTED))
        self.card_at, self.board_at, self.alone = self.at(CARD), self.at(MENU), False
        self.corners, self.hand = tile(), self.at((0.1, -0.36, -0.75)).translation
        self.floor = Vector((*(self.at((-1.15, 0, -3.8)).translation.xy), 0.0))
        self.lines = self.gpu.Lines()
        self.lines.rim(*around(self.gpu), "skip")
        self.lines.rod(self.gpu.rod_matrix(self.hand, self.corners.mean_place), "bar")
        self.hidden = self.behind()
        self.spent, self.repaints, self.errors = [], [], []
        self.in_turn = []

    def at(self, place: tuple[float, float, float]) -> Matrix:
        """Pose of a plane in front of the eye that faces it."""
        eye = rig.view3d().space.region_3d.view_matrix.inverted()
        return eye @ Matrix.Translation(place)

    def behind(self) -> tuple[object, Matrix]:
        """A box in the warm colour, behind the tile next to the outlined one."""
        sketch = at.addon("blender_addon.vr.drawing.canvas").Canvas()
        sketch.box((-0.05, 0.05), (-0.05, 0.05), "skip")
        eye = self.at((0, 0, 0)).translation
        place = eye + (tile(CHANNEL + 1).mean_place - eye) * 1.1
        return self.painted_canvas(sketch), Matrix.LocRotScale(place, self.at((0, 0, 0)).to_quaternion(), None)

    def draw(self) -> None:
        """Draw everything, and keep errors, which Blender would only print."""
        start = time.thread_time()
        try:
            with self.gpu.GpuState():
                self._draw()
                if len(self.repaints) < 5:
                    self._repaint()
                if not self.in_turn:
                    self.in_turn = self._paint_in_turn()
        except Exception as error:  # noqa: BLE001  it is reported
            self.errors.append(repr(error))
        self.spent.append(time.thread_time() - start)

    def _repaint(self) -> None:
        """Paint and draw the menu again, as if another item were highlighted."""
        start = time.thread_time()
        painted(self.painted_canvas(self.menu.draw(self.page, POINTED))).draw(self.board_at)
        self.repaints.append(time.thread_time() - start)

    def _paint_in_turn(self) -> list[bool]:
        """Paint two cards of one size in alternating steps; return whether each looks as if painted alone."""
        painting, pixels = at.addon("blender_addon.vr.drawing.textures"), np.ones((20, 20, 4), np.float32)
        card = at.addon("blender_addon.vr.display.card").draw_card
        canvases = [card(word, [("Peak", word)], pixels * shade) for word, shade in (("one", 0.3), ("two", 0.8))]
        alone, both = ([self.painted_canvas(each) for each in canvases] for _ in range(2))
        wanted = [seen(painted(each)) for each in alone]
        painting.SLICE_SECONDS = 0.0
        while not all(each.ready for each in both):
            for each in both:
                each.paint()
        return [bool(np.array_equal(seen(each), pixels)) for each, pixels in zip(both, wanted, strict=True)]

    def _draw(self) -> None:
        painted(self.card).draw(self.card_at)
        if self.alone:
            return
        shown, where = self.hidden
        painted(shown).draw(where)
        painted(self.board).draw(self.board_at)
        self.lines.draw()
        self.gpu.draw_ring(self.gpu.floor_ring(self.floor, RING), "bar")

    def places(self) -> dict[str, Vector]:
        """Points whose colours are known, in the world."""
        card, boxes = self.card.canvas, self.menu.arrange(self.page).boxes
        picture = card.pictures[0][0]
        (left, right), (low, high) = boxes[POINTED]
        lit = Vector(((left + right) / 2, low + 0.008, 0))
        on_card = {
            "board": (0.009, card.height / 2), "rim": (0.0015, card.height / 2), "bar": (0.03, 0.0235),
            "track": (0.3, 0.0235), "low end": (picture[0, 0] + 0.002, picture[0, 1] + 0.004),
            "high end": (picture[1, 0] - 0.002, picture[0, 1] + 0.004),
        }  # fmt: skip
        places = {what: self.card_at @ Vector((*xy, 0)) for what, xy in on_card.items()}
        places |= {"pointed": self.board_at @ lit, "entry": self.board_at @ (lit - Vector((0, 0.056, 0)))}
        places["outline"] = (Vector(self.corners[0]) + Vector(self.corners[1])) / 2
        places["ray"] = self.hand.lerp(self.corners.mean_place, 0.5)
        towards = ((self.at((0, 0, 0)).translation - self.floor) * Vector((1, 1, 0))).normalized()
        places["ring"] = self.floor + RING * 0.94 * towards + Vector((0, 0, self.gpu.RING_LIFT))
        places["hidden"] = tile(CHANNEL + 1).mean_place
        return places


def around(gpu):
    """Matrix of the tile's panel, and the outline of the tile."""
    panel, (low, high) = bounds()
    return panel.matrix_world, gpu.rim_points(low, high)


def seen(shown) -> np.ndarray:
    """Pixels of a painted canvas."""
    return np.array(shown._texture.read().to_list())


def painted(shown):
    """Paints a canvas in one go."""
    while not shown.ready:
        shown.paint()
    return shown


class Corners(np.ndarray):
    """Corners of a tile, (4, 3), in the world."""

    @property
    def mean_place(self) -> Vector:
        return Vector(np.asarray(self).mean(0))


def bounds(channel: int = CHANNEL) -> tuple[bpy.types.Object, tuple]:
    """The panel, and the lower left and upper right corners of a tile in its plane."""
    panel = next(panel for panel in bpy.context.scene.objects if panel.get("innerwalk_id") == LAYER)
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    x, y = (column + 0.04) * width, (rows - row - 0.96) * height
    return panel, ((x, y), (x + 0.92 * width, y + 0.92 * height))


def tile(channel: int = CHANNEL) -> Corners:
    panel, ((x0, y0), (x1, y1)) = bounds(channel)
    flat = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return np.array([panel.matrix_world @ Vector((*corner, 0)) for corner in flat]).view(Corners)
