"""What a walk draws at the desk: a crosshair, and all that is read, on the glass before the eye.

Outlines, the landing place and the menu are in the world, as they are with a headset.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import bpy
from mathutils import Matrix

from ...actions import pointing
from .. import hand_actions
from ..drawing.canvas import Sketch
from ..drawing.gpu_draw import Lines, from_eye
from ..drawing.hands_drawing import Drawing
from ..drawing.textures import Pane, Shown
from ..walk import Hand, Walk
from .eye import EYE_NAME, Desk
from .screen_plane import Glass, fitted

DENSE = 900.0
"""Pixels of the glass a metre of a sketch, times the interface's scale: capitals of a card are 10 pixels high."""
MARGIN, SHARE = 16, 0.3
"""Pixels from the view's edges; the card is no wider than this share of it."""
ARM, GAP, LINE, RIM, LONG = 8, 4, 2, 2, 5
"""Of the crosshair, pixels: an arm, from the middle to it, its width, its dark rim; longer where there is something."""
BESIDE, HIGH = 14, 56
"""Pixels from the middle to the name of what is pointed at; from below to what is held, where Blender's last operator
has its panel."""
TINTS = {"nothing": "data", "something": "text", "held": "skip"}
"""Colour of the crosshair by what it points at."""


class DeskDrawing(Drawing):
    """All that is drawn for one walk at the desk."""

    REGIONS = ("WINDOW",)

    def __init__(self, walk: Walk, desk: Desk) -> None:
        super().__init__(walk)
        self._desk = desk
        self._scale: float = bpy.context.preferences.system.ui_scale
        self.words_dense = DENSE * self._scale
        self.menu_dense = self.words_dense / hand_actions.AHEAD
        self.cross = "nothing"
        self._crosses = {state: Pane() for state in TINTS}
        for state, pane in self._crosses.items():
            pane.show(Shown(crosshair(state), self._scale))

    def look(self, scene: bpy.types.Scene) -> None:
        """Make what has changed; between frames."""
        super().look(scene)
        self.cross = pointed(self.walk, scene)

    def panes(self) -> Iterator[Pane]:
        """Crosses too."""
        yield from self._crosses.values()
        yield from super().panes()

    def seen(self) -> tuple[object, ...]:
        """What is drawn: where it is equal, so is the picture."""
        around = self._pointed[EYE_NAME].around
        return *(one.seen for one in self.panes()), around, self.cross

    def plan(self, scene: bpy.types.Scene) -> None:
        """There is no ray where the eye is the hand."""
        self._paints, self.eye, lines = True, self.walk.body.eye(), Lines()
        self._drawn = [lines.draw]
        self.plan_met(scene, self.walk.hands[EYE_NAME], lines)
        if self.walk.board is not None:
            self._drawn.append(partial(self._menu.draw, Matrix(self.walk.board.at.tolist())))

    def draw(self) -> None:
        """The view that the walk is in."""
        glass, hand = self._desk.glass(), self.walk.hands[EYE_NAME]
        if glass is None or not hand.there:
            return
        super().draw()
        self._draw_card(glass)
        self._draw_words(glass, hand)

    def _draw_card(self, glass: Glass) -> None:
        """In the lower right corner."""
        if self._card.seen is None or not self._is_card_wanted():
            return
        sketch, (width, height) = self._card.seen.sketch, glass.size
        room = SHARE * width, height - 2 * MARGIN
        dense = fitted(self.words_dense, sketch.width, sketch.height, room)
        _draw(self._card, glass, (width - MARGIN - round(sketch.width * dense), MARGIN), dense)

    def _is_card_wanted(self) -> bool:
        """An open menu has its place, unless something failed or goes on."""
        walk = self.walk
        return walk.board is None or walk.work is not None or bool(walk.failed and walk.said)

    def _draw_words(self, glass: Glass, hand: Hand) -> None:
        """The crosshair with the name beside it, and the picture that is held, at the lower left."""
        (x, y), beside = glass.middle, BESIDE * self._scale
        _draw(self._pointed[hand.name].name, glass, (round(x + beside), round(y + beside)), self.words_dense)
        if hand.name == self.walk.holder:
            _draw(self._held, glass, (MARGIN, HIGH * self._scale), self.words_dense)
        _draw(self._crosses[self.cross], glass, (x, y), self._scale)


def pointed(walk: Walk, scene: bpy.types.Scene) -> str:
    """What the crosshair says: nothing, something that can be picked, or a panel that is held."""
    hand, board = walk.hands[EYE_NAME], walk.board
    if hand.grip is not None:
        return "held"
    if hand.at_board and board is not None:
        return "something" if hand.item >= 0 and board.page.items[hand.item].enabled else "nothing"
    hit = hand.hit
    there = hit is not None and pointing.kind(hit) != "floor" and pointing.means(scene, hit)
    return "something" if there else "nothing"


def crosshair(state: str) -> Sketch:
    """Four arms about the origin, in pixels; their rim is dark, so that bright ground shows them too."""
    sketch, end = Sketch(), GAP + ARM + (LONG if state != "nothing" else 0)
    for grown, tint in ((RIM, "board"), (0, TINTS[state])):
        thick, near, far = LINE / 2 + grown, GAP - grown, end + grown
        for span in ((near, far), (-far, -near)):
            sketch.box(span, (-thick, thick), tint)
            sketch.box((-thick, thick), span, tint)
    return sketch


def _draw(pane: Pane, glass: Glass, pixel: tuple[float, float], dense: float) -> None:
    with from_eye():
        pane.draw(Matrix(glass.at(*pixel, dense).tolist()))
