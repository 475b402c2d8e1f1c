"""What a walk draws into the scene: rays, what they meet, the card, the menu, the picture that is held.

Drawn by Blender's drawing handlers, in the world: seen in both eyes, and never Blender data. What is drawn is made when
it changes; a frame costs a few calls.
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

from ...actions import pointing
from ...actions import shelf as shelving
from ...actions.inspecting import format_value
from ...layout.model import FILL
from ...scene.hall import shelf_pictures
from ...scene.hall.pick import Hit, pixel_of
from ...scene.hall.store import dress_of
from ...scene.paint import glyphs
from ...scene.paint.pictures import picture_image, read_pixels
from ...scene.panels import find, grid_of, places, size_of, world_of
from ...scene.panels.values import is_vector
from .. import grips
from ..display import menu
from ..display.card_content import Card
from ..walk import Hand, Walk
from .canvas import Sketch
from .gpu_draw import LINE, Lines, Pair, between, drawing, rim, ring
from .textures import DENSE, Pane, Shown, forget_easels

ABOVE, LABEL = 0.13, 0.027
"""Metres from a hand to its card; height of a label's words, a metre away."""
WAND = 0.12, 0.024
"""Length and width of what stands for a hand, metres."""
PICTURE = 0.16
"""Edge of a picture that is held, metres."""
RESTS, AGAIN = 3, 6
"""Looks at the same thing after which it is named, and until it is looked whether its value is another: a name takes
time to paint, and a hand that passes by reads none."""
RING = 0.22
"""Radius of the landing place, metres."""
LETTERS = "".join(map(chr, range(32, 127))) + "·×−–…›‹°%→"
"""Those that most words are of."""
SLOPE = 0.0025
"""Width of an outline that is far away, metres a metre."""
Draw = Callable[[], None]


class Framed(NamedTuple):
    """A line around something, and where that is, to world."""

    points: list[Vector]
    at: Matrix


@dataclass
class Pointed:
    """What a hand points at, as it is drawn."""

    key: object
    around: Framed | None
    on_floor: bool
    name: Pane
    words: str = ""
    """What the name says, or is to say soon."""
    looks: int = 0
    """How often it was found to be pointed at still."""


class Drawing:
    """All that is drawn in the headset of one walk."""

    REGIONS: tuple[str, ...] = ("XR",)
    words_dense = menu_dense = DENSE
    """Texels a metre of what is read."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.card = Card()
        self._sketch: Sketch | None = None
        """The card's that is shown."""
        self._card, self._menu, self._held = Pane(), Pane(), Pane()
        self._page: tuple[menu.Page | None, dict[int, Shown]] = (None, {})
        """The page that is open, and how it looks by the entry that is pointed at: painting one takes time."""
        self._index = -1
        """Which picture is held."""
        self._pointed = {name: Pointed(None, None, False, Pane()) for name in walk.hands}
        """By hand."""
        self.eye = np.eye(4)
        """(4, 4) where the eye was at the last `plan`."""
        self._drawn: list[Draw] = []
        self._paints, self._painted = False, False
        """Whether some painting is due, once a frame, not once an eye; and whether there is none left."""
        self._handlers: list[tuple[Any, str]] = []

    def begin(self) -> None:
        """Draw from now on. Letters are read now, for that makes Blender draw everything again."""
        for family in ("sans", "mono"):
            glyphs.measure(LETTERS, family)
        for region in self.REGIONS:
            handler = bpy.types.SpaceView3D.draw_handler_add(self._handle, (), region, "POST_VIEW")
            self._handlers.append((handler, region))

    def end(self) -> None:
        """No more."""
        glyphs.forget_fonts()
        forget_easels()
        for handler, region in self._handlers:
            bpy.types.SpaceView3D.draw_handler_remove(handler, region)
        self._handlers.clear()

    def look(self, scene: bpy.types.Scene) -> None:
        """Make all that has changed, between frames, and plan what is drawn."""
        self.look_at_card(scene)
        for hand in self.walk.hands.values():
            self.look_at(scene, hand)
        self.look_at_held(scene)
        self.plan(scene)

    def look_at_card(self, scene: bpy.types.Scene) -> None:
        """Whether there is something else to tell, or some of the work on it."""
        self.card.look(self.walk, scene)
        if self._sketch is not self.card.sketch:
            self._sketch = self.card.sketch
            self._show(self._card, self._shown(self._sketch))

    def look_at(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """The outline of what a hand points at, and its name where the hand rests; or an entry of the menu."""
        self._look_at_menu()
        hit = Hit("panel", hand.grip.layer) if hand.grip else hand.hit
        means = hand.grip is None, shelving.held(scene) >= 0
        key = (hit.role, hit.layer, hit.channel, hit.object, *means) if hit else None
        seen = self._pointed[hand.name]
        if seen.key != key:
            around = outline_of(scene, hit, max(LINE, SLOPE * hand.far)) if hit else None
            on_floor = hit is not None and hand.grip is None and pointing.hit_kind(hit) == "floor"
            self._show(seen.name, None)
            self._pointed[hand.name] = Pointed(key, around, on_floor, seen.name)
            return
        seen.looks += 1
        if hit and hand.grip is None and seen.looks % AGAIN == RESTS and (words := name_of(scene, hit)) != seen.words:
            seen.words = words
            self._show(seen.name, self._shown(_label(scene, words)))

    def _look_at_menu(self) -> None:
        board, (page, painted) = self.walk.board, self._page
        if (board.page if board else None) is not page:
            self._page = board.page if board else None, (painted := {})
        if board is None:
            self._show(self._menu, None)
            return
        pointed = max((one.item for one in self.walk.hands.values()), default=-1)
        if pointed not in painted:
            painted[pointed] = Shown(menu.draw(board.page, pointed), self.menu_dense)
        self._show(self._menu, painted[pointed])

    def look_at_held(self, scene: bpy.types.Scene) -> None:
        index = shelving.held(scene) if self.walk.holder else -1
        if index == self._index:
            return
        holder = shelf_pictures.shelved(scene).get(index)
        image = picture_image(holder) if holder else None
        self._index = index
        self._show(self._held, self._shown(_picture(scene, read_pixels(image))) if image else None)

    def panes(self) -> Iterator[Pane]:
        """All that is painted, the most wanted first."""
        yield self._menu
        yield self._card
        yield self._held
        yield from (one.name for one in self._pointed.values())

    @property
    def ready(self) -> bool:
        """Whether another picture would show nothing else."""
        return all(one.ready for one in self.panes())

    def _handle(self) -> None:
        with drawing():
            self.draw()

    def draw(self) -> None:
        """One eye, or one view."""
        if self._paints and not self._painted:
            self._painted = not self.paint()
        self._paints = False
        for one in self._drawn:
            one()

    def paint(self) -> bool:
        """Some of what is still to be painted; whether there was anything."""
        return any(one.paint() for one in self.panes())

    def _show(self, pane: Pane, wanted: Shown | None) -> None:
        pane.show(wanted)
        self._painted = False

    def plan(self, scene: bpy.types.Scene) -> None:
        """What is drawn until this is called again, and where: hands have moved."""
        self._paints, self.eye, lines = True, self.walk.body.eye(), Lines()
        self._drawn = [lines.draw]
        for hand in self.walk.hands.values():
            if hand.there:
                self._plan_hand(scene, hand, lines)
        if self.walk.board is not None:
            self._drawn.append(partial(self._menu.draw, Matrix(self.walk.board.at.tolist())))
        if self._sketch is not None:
            hand = self.walk.hands[self.walk.card]
            self._drawn.append(partial(self._card.draw, self._at_hand(hand, self._sketch.width, ABOVE)))

    def plan_met(self, scene: bpy.types.Scene, hand: Hand, lines: Lines) -> None:
        """The landing place on the floor, or an outline of what is pointed at or held."""
        seen = self._pointed[hand.name]
        if seen.on_floor:
            self._drawn.append(partial(ring, hand.end, RING, "bar"))
        if seen.around is not None:
            held = find(scene, hand.grip.layer) if hand.grip else None
            at = world_of(held) if held is not None else seen.around.at
            lines.rim(at, seen.around.points, "skip" if hand.grip else "bar")

    def _plan_hand(self, scene: bpy.types.Scene, hand: Hand, lines: Lines) -> None:
        """Its ray, what that meets and its name, and the picture that it holds."""
        end = hand.end
        lines.rod(between(hand.place - hand.along * WAND[0], hand.place, WAND[1]), "frame")
        lines.rod(between(hand.place, end), "bar" if hand.hit or hand.at_board else "quiet")
        self.plan_met(scene, hand, lines)
        name = self._pointed[hand.name].name
        if name.seen is not None:
            place, eye = end.to_tuple(), self.eye[:3, 3].tolist()
            at = grips.facing(place, eye, aside=(0.0, 0.03, 0.05), size=max(0.3, math.dist(place, eye)))
            self._drawn.append(partial(name.draw, Matrix(at)))
        if self._held.seen is not None and hand.name == self.walk.holder:
            self._drawn.append(partial(self._held.draw, self._at_hand(hand, PICTURE, -0.02)))

    def _shown(self, sketch: Sketch | None) -> Shown | None:
        return Shown(sketch, self.words_dense) if sketch is not None else None

    def _at_hand(self, hand: Hand, wide: float, up: float) -> Matrix:
        """Over a hand and turned to the eye."""
        eye = self.eye[:3, 3].tolist()
        return Matrix(grips.facing(hand.place.to_tuple(), eye, up, (-wide / 2, 0.0, 0.0)))


def name_of(scene: bpy.types.Scene, hit: Hit) -> str:
    """What is pointed at, in a few words; "" where there is nothing to say."""
    if hit.role == "panel":
        return f"{hit.layer} · {hit.channel}{_value(hit)}" if hit.channel >= 0 else hit.layer
    if hit.role == "shelf":
        return "take"
    if hit.role == "input" and shelving.held(scene) >= 0:
        return "place here"
    return ""


def _value(hit: Hit) -> str:
    """What the map has where it was met: "(column, row) = value", of a single value without its place."""
    pixel = pixel_of(hit)
    if pixel is None:
        return ""
    panel = bpy.data.objects[hit.object]
    where = "" if is_vector(panel) else f" · ({pixel[1]}, {pixel[0]})"
    return f"{where} = {format_value(panel, hit.channel, *pixel)}"


def outline_of(scene: bpy.types.Scene, hit: Hit, width: float = LINE) -> Framed | None:
    """A line `width` metres wide around a tile, a panel, a picture; None around all else, and what is gone."""
    if hit.role == "panel":
        panel = find(scene, hit.layer)
        if panel is None:
            return None
        low, high = (0.0, 0.0), size_of(panel)
        if hit.channel >= 0:
            grid = grid_of(panel)
            x, y = grid.centre(int(places(panel)[hit.channel]))
            wide, tall = (FILL * edge / 2 for edge in grid.cell)
            low, high = (x - wide, y - tall), (x + wide, y + tall)
        return _framed(world_of(panel), low, high, width)
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    if holder is None or hit.role not in ("shelf", "input"):
        return None
    box = np.array(holder.bound_box)
    return _framed(holder.matrix_world.copy(), box.min(0)[:2], box.max(0)[:2], width)


def _framed(at: Matrix, low: Pair, high: Pair, width: float) -> Framed:
    return Framed(rim(low, high, width / max(at.median_scale, 1e-6)), at)


def _label(scene: bpy.types.Scene, words: str) -> Sketch:
    """A name on a dark strip, as it is a metre away."""
    sketch = Sketch(dress_of(scene).theme)
    wide = sketch.measure(words, LABEL, "mono")
    sketch.box((-0.4 * LABEL, wide + 0.4 * LABEL), (-0.45 * LABEL, 1.1 * LABEL), "board")
    sketch.words(words, LABEL, "text", 0.0, 0.0, family="mono")
    return sketch


def _picture(scene: bpy.types.Scene, pixels: np.ndarray) -> Sketch:
    """A picture in the hand."""
    sketch = Sketch(dress_of(scene).theme)
    tall = PICTURE * pixels.shape[0] / pixels.shape[1]
    full = np.ones((*pixels.shape[:2], 4), np.float32)
    full[..., :3] = pixels / np.float32(255)
    sketch.box((-0.006, PICTURE + 0.006), (-0.006, tall + 0.006), "skip")
    sketch.picture((0.0, PICTURE), (0.0, tall), full)
    return sketch
