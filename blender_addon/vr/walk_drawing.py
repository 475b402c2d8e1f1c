"""Draws a walk into the scene: rays, outlines of what they hit, names, the card, the menu, the held picture.

Blender's drawing handlers draw it in the world, so both eyes see it and it is never Blender data. Canvases are drawn
when their content changes; a frame costs a few calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..actions import clicking, shelf
from ..actions.ablating import describe_brush
from ..actions.inspecting import concept_text, format_value
from ..properties import BRUSH
from ..scene.hall import shelf_pictures
from ..scene.hall.board_hits import hit_argument
from ..scene.hall.ray_hits import Hit, find_hall, pixel_of
from ..scene.hall.store import read_appearance
from ..scene.paint import glyphs
from ..scene.paint.pictures import picture_image, read_pixels
from ..scene.panels import find_panel, world_matrix
from ..scene.panels.values import is_vector
from . import grips
from .display import menu_layout
from .display.card_content import Card
from .display.menu_types import Page
from .drawing.canvas import Canvas
from .drawing.gpu_draw import LINE_WIDTH, GpuState, Lines, draw_ring, floor_ring, rod_matrix
from .drawing.textures import DENSITY, DoubleBuffer, PaintedCanvas, free_paint_targets
from .outlines import Outline, SelectionMark, outline_of, selection_marks
from .walk import Hand, Walk

CARD_LIFT = 0.13
"""Metres from a hand up to its card."""
LABEL_SIZE = 0.027
"""Text size of a name at a distance of one metre, in metres."""
LABEL_PITCH = 1.3
"""Distance of two lines of a name, as a factor of their size."""
WAND_LENGTH, WAND_WIDTH = 0.12, 0.024
"""Size of the rod that stands for a hand, in metres."""
PICTURE_WIDTH = 0.16
"""Width of a held picture, in metres."""
LABEL_NEARNESS = 0.8
"""Distance of a name from the eye as a share of its target's: it would cut through a panel that is seen at an angle."""
LABEL_RISE = 0.03
"""Metres from the end of a ray up to its name; from the ring of a brush, as the name would cover what is painted."""
LABEL_DELAY, LABEL_PERIOD = 3, 6
"""Updates with the same target before its name is shown, and between two checks of its value. Painting a name takes
time, so a hand that only passes by shows none."""
RING_RADIUS = 0.22
"""Radius of the landing ring, in metres."""
COMMON_CHARACTERS = "".join(map(chr, range(32, 127))) + "·×−–…›‹°%→"
"""Characters that are loaded when a walk begins."""
OUTLINE_SLOPE = 0.0025
"""Width of a distant outline, for each metre of distance."""


@dataclass
class DrawnTarget:
    """What a hand points at, as it is drawn."""

    key: object
    """Identifies the target."""
    outline: Outline | None
    on_floor: bool
    label: DoubleBuffer
    brush_size: float = 0.0
    """Diameter of the brush that would paint there, as a share of the picture; 0 for none."""
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
        self._marks: list[SelectionMark] = []
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
        """Runs a slice of the card's work, or checks for new content; the selected tiles are marked."""
        self.card.update(self.walk, scene)
        self._marks = selection_marks(scene)
        if self._card_canvas is not self.card.canvas:
            self._card_canvas = self.card.canvas
            self._show(self._card, self._painted(self._card_canvas))

    def update_target(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """Updates the menu's highlight, the outline of a hand's target, and its name if the hand rests there."""
        self._update_menu()
        hit = Hit("panel", hand.grip.layer) if hand.grip else hand.hit
        effect = hand.grip is None, shelf.held(scene) >= 0, scene.get(BRUSH)
        key = (hit.role, hit.layer, hit.channel, hit.object, *effect) if hit else None
        target = self._targets[hand.name]
        if target.key != key:
            outline = outline_of(scene, hit, max(LINE_WIDTH, OUTLINE_SLOPE * hand.distance)) if hit else None
            on_floor = hit is not None and hand.grip is None and clicking.hit_kind(hit) == "floor"
            self._show(target.label, None)
            brush = clicking.brush_over(scene, hit) if hit and hand.grip is None else None
            size = brush.size if brush is not None else 0.0
            self._targets[hand.name] = DrawnTarget(key, outline, on_floor, target.label, size)
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
        self.plan_marks(lines)
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
            self._draws.append(partial(draw_ring, floor_ring(hand.ray_end, RING_RADIUS), "bar"))
        if target.outline is not None:
            held = find_panel(scene, hand.grip.layer) if hand.grip else None
            matrix = world_matrix(held) if held is not None else target.outline.matrix
            lines.rim(matrix, target.outline.points, "skip" if hand.grip else "bar")
        if (ring := self._brush_ring(hand)) is not None:
            self._draws.append(partial(draw_ring, ring, "skip"))

    def _brush_ring(self, hand: Hand) -> Matrix | None:
        """Returns the matrix of the ring where a hand's brush would paint, None for none."""
        target = self._targets[hand.name]
        if not target.brush_size or target.outline is None or hand.hit is None:
            return None
        return target.outline.brush_matrix(hand.hit.spot, target.brush_size)

    def plan_marks(self, lines: Lines) -> None:
        """Plans the lines around the selected tiles."""
        for mark in self._marks:
            if (matrix := mark.matrix()) is not None:
                lines.rim(matrix, mark.points, "skip")

    def _plan_hand(self, scene: bpy.types.Scene, hand: Hand, lines: Lines) -> None:
        """Plans a hand's ray, its target with its name, and the picture that it holds."""
        end = hand.ray_end
        lines.rod(rod_matrix(hand.position - hand.direction * WAND_LENGTH, hand.position, WAND_WIDTH), "frame")
        lines.rod(rod_matrix(hand.position, end), "bar" if hand.hit or hand.on_menu else "quiet")
        self.plan_target(scene, hand, lines)
        label = self._targets[hand.name].label
        if label.front is not None:
            eye = self.eye[:3, 3].tolist()
            position = Vector(eye).lerp(end, LABEL_NEARNESS).to_tuple()
            size = max(0.3, math.dist(position, eye))
            ring = self._brush_ring(hand)
            up = LABEL_RISE + (LABEL_NEARNESS * ring.to_scale().y if ring is not None else 0.0)
            pose = grips.facing_pose(position, eye, offset=(0.0, up, 0.05), size=size)
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
    """Returns a short name of a target, "" if it needs none; of a channel what it detects, in a line above.

    Where a brush would paint it says what that does.
    """
    if (brush := clicking.brush_over(scene, hit)) is not None:
        return describe_brush(brush)
    if hit.role == "panel":
        if hit.channel < 0:
            return hit.layer
        text = concept_text(bpy.data.objects[hit.object], hit.channel)
        return "\n".join(filter(None, (text, f"{hit.layer} · {hit.channel}{_value_text(hit)}")))
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


def _draw_label(scene: bpy.types.Scene, text: str) -> Canvas:
    """Draws a name, in one or more lines, on a dark strip, sized for a distance of one metre."""
    canvas, lines = Canvas(read_appearance(scene).theme), text.split("\n")
    width = max(canvas.measure(line, LABEL_SIZE, "mono") for line in lines)
    top = (1.1 + LABEL_PITCH * (len(lines) - 1)) * LABEL_SIZE
    canvas.box((-0.4 * LABEL_SIZE, width + 0.4 * LABEL_SIZE), (-0.45 * LABEL_SIZE, top), "board")
    for number, line in enumerate(reversed(lines)):
        canvas.text(line, LABEL_SIZE, "text", 0.0, LABEL_PITCH * number * LABEL_SIZE, family="mono")
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
