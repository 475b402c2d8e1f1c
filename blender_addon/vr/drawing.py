"""What a walk draws into the scene: rays, what they meet, the card, the menu, the picture that is held.

Drawn by Blender's drawing handlers, in the world: seen in both eyes, and never Blender data. What is drawn is made when
it changes; a frame costs a few calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Matrix

from ..actions import pointing, shelving
from ..scene import shelf, text
from ..scene.panels import find, grid_of, panel_of, places, size_of, world_of
from ..scene.pick import Hit
from ..scene.pictures import image_in, pixels_of
from ..scene.store import dress_of
from ..slots import FILL
from . import hands, menu
from .gpu_draw import DENSE, LINE, Outline, Shown, between, drawing, ray, ring
from .sketch import Sketch
from .told import Card
from .walk import Hand, Walk

ABOVE, LABEL = 0.13, 0.027
"""Metres from a hand to its card; height of a label's words, a metre away."""
WAND = 0.12, 0.024
"""Length and width of what stands for a hand, metres."""
PICTURE = 0.16
"""Edge of a picture that is held, metres."""
RESTS = 5
"""Looks at the same thing after which it is named: a name takes time to paint, and a hand that passes by reads none."""
RING = 0.22
"""Radius of the landing place, metres."""
LETTERS = "".join(map(chr, range(32, 127))) + "·×−–…›‹°%→"
"""Those that most words are of."""
SLOPE = 0.0025
"""Width of an outline that is far away, metres a metre."""
Draw = Callable[[], None]


class Framed(NamedTuple):
    """A line around something, and where that is, to world."""

    line: Outline
    at: Matrix


class Drawing:
    """All that is drawn in the headset of one walk."""

    REGIONS: tuple[str, ...] = ("XR",)
    words_dense = menu_dense = DENSE
    """Texels a metre of what is read."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.card = Card()
        self._card: tuple[Sketch | None, Shown | None] = (None, None)
        self._menu: tuple[menu.Page | None, dict[int, Shown]] = (None, {})
        """The page that is open, and how it looks by the entry that is pointed at: painting one takes time."""
        self._pointed = -1
        self._labels: dict[str, tuple[object, Shown | None, Framed | None]] = {}
        """By hand: what it points at, its name, the line around it."""
        self._rests: dict[str, int] = {}
        """And for how many looks it has pointed at that."""
        self._held: tuple[object, Shown | None] = (None, None)
        self.eye = np.eye(4)
        """(4, 4) where the eye was when it was last looked."""
        self._drawn: list[Draw] = []
        self._handlers: list[tuple[Any, str]] = []

    def begin(self) -> None:
        """Draw from now on. Letters are read now, for that makes Blender draw everything again."""
        for family in ("sans", "mono"):
            text.width(LETTERS, family)
        for region in self.REGIONS:
            handler = bpy.types.SpaceView3D.draw_handler_add(self._handle, (), region, "POST_VIEW")
            self._handlers.append((handler, region))

    def end(self) -> None:
        """No more."""
        text.forget_fonts()
        for handler, region in self._handlers:
            bpy.types.SpaceView3D.draw_handler_remove(handler, region)
        self._handlers.clear()

    def look(self, scene: bpy.types.Scene) -> None:
        """Make what has changed; between frames."""
        self.eye = self.walk.body.eye()
        self.card.look(self.walk, scene)
        if self._card[0] is not self.card.sketch:
            self._card = self.card.sketch, self._shown(self.card.sketch)
        for hand in self.walk.hands.values():
            self._look_at(scene, hand)
        self._look_at_menu()
        self._look_at_held(scene)
        self.plan()

    def _look_at(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """The outline and the name of what a hand points at."""
        hit = Hit("panel", hand.grip.layer) if hand.grip else hand.hit
        means = hand.grip is None, shelving.held(scene) >= 0
        key = (hit.role, hit.layer, hit.channel, hit.object, *means) if hit else None
        if hand.name not in self._labels or self._labels[hand.name][0] != key:
            around = outline_of(scene, hit, max(LINE, SLOPE * hand.far)) if hit else None
            self._labels[hand.name], self._rests[hand.name] = (key, None, around), 0
            return
        self._rests[hand.name] += 1
        if hand.grip:
            self._follow(hand, world_of(panel_of(scene, hand.grip.layer)))
        elif hit and self._rests[hand.name] == RESTS and (words := name_of(scene, hit)):
            _, _, around = self._labels[hand.name]
            self._labels[hand.name] = key, self._shown(_label(scene, words)), around

    def _follow(self, hand: Hand, panel: Matrix) -> None:
        """The outline goes with the panel that is held."""
        key, label, framed = self._labels[hand.name]
        self._labels[hand.name] = key, label, framed and framed._replace(at=panel)

    def _look_at_menu(self) -> None:
        board = self.walk.board
        if (board.page if board else None) is not self._menu[0]:
            self._menu = board.page if board else None, {}
        self._pointed = max((one.item for one in self.walk.hands.values()), default=-1)
        if board is not None and self._pointed not in self._menu[1]:
            self._menu[1][self._pointed] = Shown(menu.draw(board.page, self._pointed), self.menu_dense)

    def _look_at_held(self, scene: bpy.types.Scene) -> None:
        index = shelving.held(scene) if self.walk.holder else -1
        if index == self._held[0]:
            return
        holder = shelf.shelved(scene).get(index)
        image = image_in(holder) if holder else None
        self._held = index, self._shown(_picture(scene, pixels_of(image))) if image else None

    @property
    def ready(self) -> bool:
        """Whether another picture would be no finer."""
        labels = [label for _, label, _ in self._labels.values()]
        shown = [self._card[1], self._menu[1].get(self._pointed), self._held[1], *labels]
        return all(one is None or one.ready for one in shown)

    def _handle(self) -> None:
        with drawing():
            self.draw()

    def draw(self) -> None:
        """One eye, or one view."""
        for one in self._drawn:
            one()

    def plan(self) -> None:
        """What is drawn until this is called again, and where: hands have moved."""
        there = [hand for hand in self.walk.hands.values() if hand.there]
        self._drawn = [one for hand in there for one in self._of_hand(hand)]
        self._drawn.append(self._draw_menu)
        if self._card[1] is not None:
            self._drawn.append(partial(self._card[1].draw, Matrix(self.card_at().tolist())))

    def _draw_menu(self) -> None:
        board, shown = self.walk.board, self._menu[1].get(self._pointed)
        if board is not None and shown is not None:
            shown.draw(Matrix(board.at.tolist()))

    def met(self, hand: Hand) -> Iterator[Draw]:
        """The landing place on the floor, or an outline of what is pointed at or held."""
        framed = self._labels.get(hand.name, (None, None, None))[2]
        if hand.hit is not None and hand.grip is None and pointing.kind(hand.hit) == "floor":
            yield partial(ring, hand.end, RING, "bar")
        if framed is not None:
            yield partial(framed.line.draw, framed.at, "skip" if hand.grip else "bar")

    def _of_hand(self, hand: Hand) -> Iterator[Draw]:
        """Its ray, what that meets and its name, and the picture that it holds."""
        yield partial(ray, between(hand.place - hand.along * WAND[0], hand.place, WAND[1]), "frame")
        yield partial(ray, between(hand.place, hand.end), "bar" if hand.hit or hand.at_board else "quiet")
        yield from self.met(hand)
        label = self._labels.get(hand.name, (None, None, None))[1]
        if label is not None:
            eye, end = self.eye[:3, 3], hand.end.to_tuple()
            far = max(0.3, math.dist(end, eye))
            place = hands.facing(end, eye)
            place[:3, :3] *= far
            place[:3, 3] += place[:3, 1] * 0.03 / far + place[:3, 2] * 0.05 / far
            yield partial(label.draw, Matrix(place.tolist()))
        if self._held[1] is not None and hand.name == self.walk.holder:
            yield partial(self._held[1].draw, Matrix(self._at_hand(hand, PICTURE, -0.02).tolist()))

    def card_at(self) -> np.ndarray:
        """(4, 4) where the card is: over the hand that picked last and turned to the eye."""
        sketch = self.card.sketch
        wide = sketch.width if sketch else 0.0
        return self._at_hand(self.walk.hands[self.walk.card], wide, ABOVE)

    def _shown(self, sketch: Sketch | None) -> Shown | None:
        return Shown(sketch, self.words_dense) if sketch is not None else None

    def _at_hand(self, hand: Hand, wide: float, up: float) -> np.ndarray:
        at = hands.facing(hand.place.to_tuple(), self.eye[:3, 3], up)
        at[:3, 3] -= at[:3, 0] * wide / 2
        return at


def name_of(scene: bpy.types.Scene, hit: Hit) -> str:
    """What is pointed at, in a few words; "" where there is nothing to say."""
    if hit.role == "panel":
        return f"{hit.layer} · {hit.channel}" if hit.channel >= 0 else hit.layer
    if hit.role == "shelf":
        return "take"
    if hit.role == "input" and shelving.held(scene) >= 0:
        return "place here"
    return ""


def outline_of(scene: bpy.types.Scene, hit: Hit, width: float = LINE) -> Framed | None:
    """A line `width` metres wide around a tile, a panel, a picture; None around all else, and what is gone."""
    if hit.role == "panel":
        panel = find(scene, hit.layer)
        if panel is None:
            return None
        low, high = np.zeros(2), np.array(size_of(panel))
        if hit.channel >= 0:
            grid = grid_of(panel)
            middle, half = grid.centre(int(places(panel)[hit.channel])), FILL * np.asarray(grid.cell) / 2
            low, high = middle - half, middle + half
        return _framed(world_of(panel), low, high, width)
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    if holder is None or hit.role not in ("shelf", "input"):
        return None
    box = np.array(holder.bound_box)
    return _framed(holder.matrix_world.copy(), box.min(0)[:2], box.max(0)[:2], width)


def _framed(at: Matrix, low: np.ndarray, high: np.ndarray, width: float) -> Framed:
    (x0, y0), (x1, y1), z = low, high, 0.006
    corners = np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)])
    return Framed(Outline(corners, width / max(at.median_scale, 1e-6)), at)


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
