"""Draws a desktop walk: the crosshair and all text on the screen plane.

Outlines, the landing ring and the menu are drawn in the world, as they are with a headset.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import bpy
from mathutils import Matrix

from ...actions import clicking
from .. import hand_actions
from ..drawing.canvas import Canvas
from ..drawing.gpu_draw import Lines, eye_space
from ..drawing.textures import DoubleBuffer, PaintedCanvas
from ..walk import Hand, Walk
from ..walk_drawing import WalkDrawing
from .desk_camera import HAND_NAME, DeskCamera
from .screen_plane import ScreenPlane, fit_density

TEXT_DENSITY = 900.0
"""Pixels for each metre of a canvas, times the interface's scale: capitals on the card are 10 pixels high."""
MARGIN, MAX_CARD_SHARE = 16, 0.3
"""Distance of the card from the view's edges, in pixels, and its largest width as a share of the view's."""
ARM, GAP, LINE, RIM, EXTRA = 8, 4, 2, 2, 5
"""Sizes of the crosshair in pixels: an arm, its distance from the centre, its width, its dark rim, and how much longer
it is over something that can be picked."""
NAME_OFFSET, PICTURE_Y = 14, 56
"""Pixels from the centre to the name of what is pointed at, and from the lower edge to the held picture, which leaves
room for Blender's panel of the last operator."""
CROSS_COLOURS = {"nothing": "data", "something": "text", "held": "skip"}
"""Colour of the crosshair, by its state."""


class DeskDrawing(WalkDrawing):
    """Draws one desktop walk."""

    REGIONS = ("WINDOW",)

    def __init__(self, walk: Walk, camera: DeskCamera) -> None:
        super().__init__(walk)
        self._camera = camera
        self._scale: float = bpy.context.preferences.system.ui_scale
        self.text_density = TEXT_DENSITY * self._scale
        self.menu_density = self.text_density / hand_actions.MENU_DISTANCE
        self.cross_state = "nothing"
        self._crosses = {state: DoubleBuffer() for state in CROSS_COLOURS}
        for state, buffer in self._crosses.items():
            buffer.show(PaintedCanvas(draw_crosshair(state), self._scale))

    def update(self, scene: bpy.types.Scene) -> None:
        """Updates what has changed, between two frames."""
        super().update(scene)
        self.cross_state = crosshair_state(self.walk, scene)

    def buffers(self) -> Iterator[DoubleBuffer]:
        """Yields all buffers, those of the crosshair first."""
        yield from self._crosses.values()
        yield from super().buffers()

    def content(self) -> tuple[object, ...]:
        """Returns all that is drawn; while it is equal, the view needs no redraw."""
        outline = self._targets[HAND_NAME].outline
        marks = [(mark.panel, *(point.to_tuple() for point in mark.points)) for mark in self._marks]
        return *(buffer.front for buffer in self.buffers()), outline, self.cross_state, marks

    def plan(self, scene: bpy.types.Scene) -> None:
        """Plans what is drawn in the world; the eye is the hand, so there is no ray."""
        self._may_paint, self.eye, lines = True, self.walk.body.eye(), Lines()
        self._draws = [lines.draw]
        self.plan_marks(lines)
        self.plan_target(scene, self.walk.hands[HAND_NAME], lines)
        if self.walk.menu is not None:
            self._draws.append(partial(self._menu.draw, Matrix(self.walk.menu.pose.tolist())))

    def draw(self) -> None:
        """Draws the view of the walk; other views stay as they are."""
        plane, hand = self._camera.screen_plane(), self.walk.hands[HAND_NAME]
        if plane is None or not hand.tracked:
            return
        super().draw()
        self._draw_card(plane)
        self._draw_centre(plane, hand)

    def _draw_card(self, plane: ScreenPlane) -> None:
        """Draws the card in the lower right corner."""
        if self._card.front is None or not self._is_card_visible():
            return
        canvas, (width, height) = self._card.front.canvas, plane.size
        room = MAX_CARD_SHARE * width, height - 2 * MARGIN
        density = fit_density(self.text_density, canvas.width, canvas.height, room)
        _draw(self._card, plane, (width - MARGIN - round(canvas.width * density), MARGIN), density)

    def _is_card_visible(self) -> bool:
        """Returns whether the card is drawn; an open menu hides it, unless there is an error or an export."""
        walk = self.walk
        return walk.menu is None or walk.export is not None or bool(walk.failed and walk.message)

    def _draw_centre(self, plane: ScreenPlane, hand: Hand) -> None:
        """Draws the crosshair, the name beside it, and the held picture at the lower left."""
        (x, y), offset = plane.centre, NAME_OFFSET * self._scale
        _draw(self._targets[hand.name].label, plane, (round(x + offset), round(y + offset)), self.text_density)
        if hand.name == self.walk.picture_hand:
            _draw(self._picture, plane, (MARGIN, PICTURE_Y * self._scale), self.text_density)
        _draw(self._crosses[self.cross_state], plane, (x, y), self._scale)


def crosshair_state(walk: Walk, scene: bpy.types.Scene) -> str:
    """Returns the crosshair's state: "nothing", "something" that can be picked, or "held" for a gripped panel."""
    hand, board = walk.hands[HAND_NAME], walk.menu
    if hand.grip is not None:
        return "held"
    if hand.on_menu and board is not None:
        return "something" if hand.item >= 0 and board.page.items[hand.item].enabled else "nothing"
    hit = hand.hit
    can_pick = hit is not None and clicking.hit_kind(hit) != "floor" and clicking.has_effect(scene, hit)
    return "something" if can_pick else "nothing"


def draw_crosshair(state: str) -> Canvas:
    """Draws four arms about the origin, in pixels; a dark rim makes them visible on bright backgrounds."""
    canvas, end = Canvas(), GAP + ARM + (EXTRA if state != "nothing" else 0)
    for margin, colour in ((RIM, "board"), (0, CROSS_COLOURS[state])):
        half, near, far = LINE / 2 + margin, GAP - margin, end + margin
        for span in ((near, far), (-far, -near)):
            canvas.box(span, (-half, half), colour)
            canvas.box((-half, half), span, colour)
    return canvas


def _draw(buffer: DoubleBuffer, plane: ScreenPlane, pixel: tuple[float, float], density: float) -> None:
    with eye_space():
        buffer.draw(Matrix(plane.pose_at(*pixel, density).tolist()))
