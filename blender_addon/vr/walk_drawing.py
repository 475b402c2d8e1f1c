"""Draws a walk into the scene: rays, outlines of what they hit, names, the card, the menu, the held picture.

Blender's drawing handlers draw it in the world, so both eyes see it and it is never Blender data. Canvases are drawn
when their content changes; a frame costs a few calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..actions import clicking, shelf
from ..actions.inspecting import format_value
from ..layout.hall_model import FILL
from ..scene.hall import shelf_pictures
from ..scene.hall.board_hits import hit_argument
from ..scene.hall.ray_hits import Hit, find_hall, pixel_of
from ..scene.hall.store import read_appearance
from ..scene.paint import glyphs
from ..scene.paint.pictures import picture_image, read_pixels
from ..scene.panels import channel_places, find_panel, grid_of, size_of, tile_corners, world_matrix
from ..scene.panels.values import is_vector
from ..scene.state.selection import selected
from . import grips
from .display import menu_layout
from .display.card_content import Card
from .display.menu_types import Page
from .drawing.canvas import Canvas
from .drawing.gpu_draw import LINE_WIDTH, GpuState, Lines, Pair, draw_ring, rim_points, rod_matrix
from .drawing.textures import DENSITY, DoubleBuffer, PaintedCanvas, free_paint_targets
from .walk import Hand, Walk

CARD_LIFT = 0.13
"""Metres from a hand up to its card."""
LABEL_SIZE = 0.027
"""Text size of a name at a distance of one metre, in metres."""
WAND_LENGTH, WAND_WIDTH = 0.12, 0.024
"""Size of the rod that stands for a hand, in metres."""
PICTURE_WIDTH = 0.16
"""Width of a held picture, in metres."""
LABEL_DELAY, LABEL_PERIOD = 3, 6
"""Updates with the same target before its name is shown, and between two checks of its value. Painting a name takes
time, so a hand that only passes by shows none."""
RING_RADIUS = 0.22
"""Radius of the landing ring, in metres."""
COMMON_CHARACTERS = "".join(map(chr, range(32, 127))) + "·×−–…›‹°%→"
"""Characters that are loaded when a walk begins."""
OUTLINE_SLOPE = 0.0025
"""Width of a distant outline, for each metre of distance."""


class Outline(NamedTuple):
    """A line around a tile, a panel or a picture."""

    points: list[Vector]
    matrix: Matrix
    """From the points' space to world."""


@dataclass
class DrawnTarget:
    """What a hand points at, as it is drawn."""

    key: object
    """Identifies the target."""
    outline: Outline | None
    on_floor: bool
    label: DoubleBuffer
    text: str = ""
    """Text of the label that is shown or being painted."""
    updates: int = 0
    """Number of updates since the hand began to point at it."""


class WalkDrawing:
    """Draws one walk in the headset."""

    REGIONS: tuple[str, ...] = ("XR",)
    text_density = menu_density = DENSITY
    """Texels for each metre of a canvas with text, and of the menu."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.card = Card()
        self._card_canvas: Canvas | None = None
        """The canvas of the card that is shown."""
        self._card, self._menu, self._picture = DoubleBuffer(), DoubleBuffer(), DoubleBuffer()
        self._page: Page | None = None
        self._painted_pages: dict[int, PaintedCanvas] = {}
        """The open page, by the index of the highlighted item: painting one takes time."""
        self._picture_index = -1
        """Index of the held picture, -1 for none."""
        self._targets = {name: DrawnTarget(None, None, False, DoubleBuffer()) for name in walk.hands}
        self.eye = np.eye(4)
        """(4, 4) pose of the eye at the last `plan`."""
        self._draws: list[Callable[[], None]] = []
        self._may_paint, self._all_painted = False, False
        """Whether this frame has not painted yet (it has two eyes), and whether nothing is left to paint."""
        self._handlers: list[tuple[Any, str]] = []

    def begin(self) -> None:
        """Starts to draw. Loads the characters first, because that makes Blender redraw everything."""
        for family in ("sans", "mono"):
            glyphs.measure(COMMON_CHARACTERS, family)
        for region in self.REGIONS:
            handler = bpy.types.SpaceView3D.draw_handler_add(self._handle, (), region, "POST_VIEW")
            self._handlers.append((handler, region))

    def end(self) -> None:
        """Stops drawing and frees fonts and textures."""
        glyphs.forget_fonts()
        free_paint_targets()
        for handler, region in self._handlers:
            bpy.types.SpaceView3D.draw_handler_remove(handler, region)
        self._handlers.clear()

    def update(self, scene: bpy.types.Scene) -> None:
        """Updates all that has changed, between two frames, and plans the next one."""
        self.update_card(scene)
        for hand in self.walk.hands.values():
            self.update_target(scene, hand)
        self.update_picture(scene)
        self.plan(scene)

    def update_card(self, scene: bpy.types.Scene) -> None:
        """Runs a slice of the card's work, or checks for new content."""
        self.card.update(self.walk, scene)
        if self._card_canvas is not self.card.canvas:
            self._card_canvas = self.card.canvas
            self._show(self._card, self._painted(self._card_canvas))

    def update_target(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """Updates the menu's highlight, the outline of a hand's target, and its name if the hand rests there."""
        self._update_menu()
        hit = Hit("panel", hand.grip.layer) if hand.grip else hand.hit
        effect = hand.grip is None, shelf.held(scene) >= 0
        key = (hit.role, hit.layer, hit.channel, hit.object, *effect) if hit else None
        target = self._targets[hand.name]
        if target.key != key:
            outline = outline_of(scene, hit, max(LINE_WIDTH, OUTLINE_SLOPE * hand.distance)) if hit else None
            on_floor = hit is not None and hand.grip is None and clicking.hit_kind(hit) == "floor"
            self._show(target.label, None)
            self._targets[hand.name] = DrawnTarget(key, outline, on_floor, target.label)
            return
        target.updates += 1
        if not hit or hand.grip is not None or target.updates % LABEL_PERIOD != LABEL_DELAY:
            return
        if (text := label_text(scene, hit)) != target.text:
            target.text = text
            self._show(target.label, self._painted(_draw_label(scene, text)))

    def _update_menu(self) -> None:
        board = self.walk.menu
        if (board.page if board else None) is not self._page:
            self._page, self._painted_pages = board.page if board else None, {}
        if board is None:
            self._show(self._menu, None)
            return
        pointed = max((hand.item for hand in self.walk.hands.values()), default=-1)
        if pointed not in self._painted_pages:
            self._painted_pages[pointed] = PaintedCanvas(menu_layout.draw(board.page, pointed), self.menu_density)
        self._show(self._menu, self._painted_pages[pointed])

    def update_picture(self, scene: bpy.types.Scene) -> None:
        """Updates the held picture of the shelf."""
        index = shelf.held(scene) if self.walk.picture_hand else -1
        if index == self._picture_index:
            return
        holder = shelf_pictures.pictures_by_number(scene).get(index)
        image = picture_image(holder) if holder else None
        self._picture_index = index
        self._show(self._picture, self._painted(_draw_picture(scene, read_pixels(image))) if image else None)

    def buffers(self) -> Iterator[DoubleBuffer]:
        """Yields all buffers, the most urgent first."""
        yield self._menu
        yield self._card
        yield self._picture
        yield from (target.label for target in self._targets.values())

    @property
    def ready(self) -> bool:
        """Whether everything is painted."""
        return all(buffer.ready for buffer in self.buffers())

    def _handle(self) -> None:
        with GpuState():
            self.draw()

    def draw(self) -> None:
        """Draws one eye or one view."""
        self.paint_slice()
        self.draw_planned()

    def paint_slice(self) -> None:
        """Runs a slice of the painting, at most once in a frame."""
        if self._may_paint and not self._all_painted:
            self._all_painted = not self.paint()
        self._may_paint = False

    def draw_planned(self) -> None:
        """Draws what was planned between the frames."""
        for draw in self._draws:
            draw()

    def paint(self) -> bool:
        """Runs a slice of the painting; returns whether there was anything to paint."""
        return any(buffer.paint() for buffer in self.buffers())

    def _show(self, buffer: DoubleBuffer, canvas: PaintedCanvas | None) -> None:
        buffer.show(canvas)
        self._all_painted = False

    def plan(self, scene: bpy.types.Scene) -> None:
        """Plans what is drawn, and where, until the next call: the hands have moved."""
        self._may_paint, self.eye, lines = True, self.walk.body.eye(), Lines()
        self._draws = [lines.draw]
        if (chosen := selection_outline(scene)) is not None:
            lines.rim(chosen.matrix, chosen.points, "skip")
        for hand in self.walk.hands.values():
            if hand.tracked:
                self._plan_hand(scene, hand, lines)
        if self.walk.menu is not None:
            self._draws.append(partial(self._menu.draw, Matrix(self.walk.menu.pose.tolist())))
        if self._card_canvas is not None:
            hand = self.walk.hands[self.walk.card_hand]
            self._draws.append(partial(self._card.draw, self._above_hand(hand, self._card_canvas.width, CARD_LIFT)))

    def plan_target(self, scene: bpy.types.Scene, hand: Hand, lines: Lines) -> None:
        """Plans the landing ring on the floor, or the outline of the target or the gripped panel."""
        target = self._targets[hand.name]
        if target.on_floor:
            self._draws.append(partial(draw_ring, hand.ray_end, RING_RADIUS, "bar"))
        if target.outline is not None:
            held = find_panel(scene, hand.grip.layer) if hand.grip else None
            matrix = world_matrix(held) if held is not None else target.outline.matrix
            lines.rim(matrix, target.outline.points, "skip" if hand.grip else "bar")

    def _plan_hand(self, scene: bpy.types.Scene, hand: Hand, lines: Lines) -> None:
        """Plans a hand's ray, its target with its name, and the picture that it holds."""
        end = hand.ray_end
        lines.rod(rod_matrix(hand.position - hand.direction * WAND_LENGTH, hand.position, WAND_WIDTH), "frame")
        lines.rod(rod_matrix(hand.position, end), "bar" if hand.hit or hand.on_menu else "quiet")
        self.plan_target(scene, hand, lines)
        label = self._targets[hand.name].label
        if label.front is not None:
            position, eye = end.to_tuple(), self.eye[:3, 3].tolist()
            size = max(0.3, math.dist(position, eye))
            pose = grips.facing_pose(position, eye, offset=(0.0, 0.03, 0.05), size=size)
            self._draws.append(partial(label.draw, Matrix(pose)))
        if self._picture.front is not None and hand.name == self.walk.picture_hand:
            self._draws.append(partial(self._picture.draw, self._above_hand(hand, PICTURE_WIDTH, -0.02)))

    def _painted(self, canvas: Canvas | None) -> PaintedCanvas | None:
        return PaintedCanvas(canvas, self.text_density) if canvas is not None else None

    def _above_hand(self, hand: Hand, width: float, up: float) -> Matrix:
        """Returns the matrix of a canvas that is centred above a hand and faces the eye."""
        eye = self.eye[:3, 3].tolist()
        return Matrix(grips.facing_pose(hand.position.to_tuple(), eye, up, (-width / 2, 0.0, 0.0)))


def label_text(scene: bpy.types.Scene, hit: Hit) -> str:
    """Returns a short name of a target, "" if it needs none."""
    if hit.role == "panel":
        return f"{hit.layer} · {hit.channel}{_value_text(hit)}" if hit.channel >= 0 else hit.layer
    if hit.role == "shelf":
        return "take"
    if hit.role == "input" and clicking.has_effect(scene, hit):
        return f"place here {hit_argument(find_hall(scene, hit), hit)}".strip()
    return ""


def _value_text(hit: Hit) -> str:
    """Returns " · (column, row) = value" of the map at the hit; without the position if it is a single value."""
    pixel = pixel_of(hit)
    if pixel is None:
        return ""
    panel = bpy.data.objects[hit.object]
    position = "" if is_vector(panel) else f" · ({pixel[1]}, {pixel[0]})"
    return f"{position} = {format_value(panel, hit.channel, *pixel)}"


def outline_of(scene: bpy.types.Scene, hit: Hit, width: float = LINE_WIDTH) -> Outline | None:
    """Returns a line, `width` metres wide, around a tile, a panel or a picture; None for anything else."""
    if hit.role == "panel":
        panel = find_panel(scene, hit.layer)
        if panel is None:
            return None
        low, high = (0.0, 0.0), size_of(panel)
        if hit.channel >= 0:
            grid = grid_of(panel)
            x, y = grid.centre(int(channel_places(panel)[hit.channel]))
            half_width, half_height = (FILL * side / 2 for side in grid.cell)
            low, high = (x - half_width, y - half_height), (x + half_width, y + half_height)
        return _outline(world_matrix(panel), low, high, width)
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    if holder is None or hit.role not in ("shelf", "input"):
        return None
    box = np.array(holder.bound_box)
    return _outline(holder.matrix_world.copy(), box.min(0)[:2], box.max(0)[:2], width)


def selection_outline(scene: bpy.types.Scene) -> Outline | None:
    """Returns a line around the selected tile; None without one."""
    layer, channel = selected(scene)
    panel = find_panel(scene, layer) if channel >= 0 else None
    corners = tile_corners(panel, channel) if panel is not None else ()
    return _outline(world_matrix(panel), corners[0], corners[2], 2 * LINE_WIDTH) if corners else None


def _outline(matrix: Matrix, low: Pair, high: Pair, width: float) -> Outline:
    return Outline(rim_points(low, high, width / max(matrix.median_scale, 1e-6)), matrix)


def _draw_label(scene: bpy.types.Scene, text: str) -> Canvas:
    """Draws a name on a dark strip, sized for a distance of one metre."""
    canvas = Canvas(read_appearance(scene).theme)
    width = canvas.measure(text, LABEL_SIZE, "mono")
    canvas.box((-0.4 * LABEL_SIZE, width + 0.4 * LABEL_SIZE), (-0.45 * LABEL_SIZE, 1.1 * LABEL_SIZE), "board")
    canvas.text(text, LABEL_SIZE, "text", 0.0, 0.0, family="mono")
    return canvas


def _draw_picture(scene: bpy.types.Scene, pixels: np.ndarray) -> Canvas:
    """Draws the held picture, (H, W, 3) uint8 sRGB, with a frame."""
    canvas = Canvas(read_appearance(scene).theme)
    height = PICTURE_WIDTH * pixels.shape[0] / pixels.shape[1]
    rgba = np.ones((*pixels.shape[:2], 4), np.float32)
    rgba[..., :3] = pixels / np.float32(255)
    canvas.box((-0.006, PICTURE_WIDTH + 0.006), (-0.006, height + 0.006), "skip")
    canvas.picture((0.0, PICTURE_WIDTH), (0.0, height), rgba)
    return canvas
