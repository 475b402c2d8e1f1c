"""`concepts`: endless small pictures with exact labels of every pixel in six categories. numpy only.

A picture depends on (seed, split, index, size, task) alone, so any order, shard or subset gives the same ones.
Task "object": the class is the main object, the scene says nothing. Task "pair": the class is a scene with one of its
two objects, and neither alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .backgrounds import PAINTERS
from .noise import Rng
from .objects import corners, outline_distance
from .textures import material, texture
from .vocabulary import CATEGORIES, CONCEPTS, CRESCENT, MAIN_OBJECTS, OFFSETS, PAINTS, PAIRS, SCENES, class_names

SIZE = 64
OBJECTS, TEXTURES, MATERIALS = (len(CONCEPTS[word]) for word in ("object", "texture", "material"))
EDGE_DEPTH, CENTRE_RADIUS, TIP_RADIUS, CORNER_RADIUS = 0.14, 0.3, 0.38, 0.3
EDGE, CORNER, TIP, CENTRE = 1, 2, 3, 4
PLACING_TRIES = 12
NEAR_PAINTS = 150
"""Sum of differences of red, green and blue under which two paints count as alike."""


class ObjectBox(NamedTuple):
    """The visible pixels of one object, half-open."""

    concept: int
    """1..8, as in the object map."""
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Sample:
    """One picture and all that is known about it."""

    image: np.ndarray
    """(H, W, 3) uint8 sRGB."""
    maps: np.ndarray
    """(6, H, W) uint8: index in the category, in the order of CATEGORIES; 0 is none."""
    label: int
    """Index into the task's class names."""
    boxes: tuple[ObjectBox, ...]
    """The first is the main object."""

    def global_maps(self) -> np.ndarray:
        """(6, H, W) int64: global concept indices 1..39, 0 is none."""
        return np.where(self.maps > 0, self.maps + np.array(OFFSETS)[:, None, None], 0)


class _Place(NamedTuple):
    kind: int
    radius: float
    x: float
    y: float


class _Canvas:
    """A picture that is being painted, with its maps."""

    def __init__(self, size: int) -> None:
        self.y, self.x = (np.mgrid[:size, :size] + 0.5) / size
        self.pixel = 1 / size
        self.image = np.zeros((size, size, 3))
        self.maps = np.zeros((len(CATEGORIES), size, size), np.uint8)
        self.owner = np.full((size, size), -1)

    def paint_scene(self, rng: Rng, scene: int) -> tuple[int, int]:
        """Returns the two paints, softened towards their mean in the picture."""
        first = rng.below(len(PAINTS))
        second = (first + 1 + rng.below(len(PAINTS) - 1)) % len(PAINTS)
        mix = PAINTERS[scene](rng, self.x, self.y, self.pixel)
        self.image = PAINTS[first] + (PAINTS[second] - PAINTS[first]) * (0.225 + 0.55 * mix[..., None])
        self.maps[0] = scene + 1
        self.maps[5] = np.where(mix > 0.5, second + 1, first + 1)
        return first, second

    def paint_object(self, rng: Rng, place: _Place, number: int, background: tuple[int, int]) -> None:
        angle = rng.uniform(0, 6.28) if place.kind == CRESCENT else rng.uniform(-0.5, 0.5)
        c, s = np.cos(angle) / place.radius, np.sin(angle) / place.radius
        dx, dy = self.x - place.x, self.y - place.y
        u, v = dx * c + dy * s, dy * c - dx * s
        depth = outline_distance(place.kind, u, v)
        cover = np.clip(0.5 - depth * place.radius / self.pixel, 0, 1)
        made_of, pattern = 1 + rng.below(MATERIALS), rng.below(TEXTURES + 1)
        paints = _object_paints(rng, background)
        mix = texture(rng, pattern, u, v, self.pixel / place.radius)
        light, highlight = material(rng, made_of, u, v, depth)
        base, other = PAINTS[paints[0]], PAINTS[paints[1]]
        paint = (base + (other - base) * mix[..., None]) * light[..., None] + np.asarray(highlight)[..., None]
        self.image = self.image + (paint - self.image) * cover[..., None]
        colour = np.where(mix > 0.5, paints[1], paints[0]) + 1
        labels = (0, place.kind + 1, _parts(place.kind, u, v, depth), made_of, pattern, colour)
        self._label(cover > 0.5, labels, number)

    def _label(self, inside: np.ndarray, labels: tuple, number: int) -> None:
        for row, value in enumerate(labels):
            self.maps[row] = np.where(inside, value, self.maps[row])
        self.owner[inside] = number

    def boxes(self, places: list[_Place]) -> tuple[ObjectBox, ...]:
        found = []
        for number, place in enumerate(places):
            rows, columns = np.nonzero(self.owner == number)
            if len(rows):
                ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
                found.append(ObjectBox(place.kind + 1, *map(int, ends)))
        return tuple(found)


def _object_paints(rng: Rng, background: tuple[int, int]) -> tuple[int, int]:
    """Two paints unlike each other, the first unlike the background's."""

    def near(a: int, b: int) -> bool:
        return bool(np.abs(PAINTS[a] - PAINTS[b]).sum() < NEAR_PAINTS)

    first = next(p for p in rng.order(len(PAINTS)) if not any(near(p, b) for b in background))
    return first, next(p for p in rng.order(len(PAINTS)) if not near(p, first))


def _parts(kind: int, u: np.ndarray, v: np.ndarray, depth: np.ndarray) -> np.ndarray:
    part = np.where(np.hypot(u, v) < CENTRE_RADIUS, CENTRE, 0)
    part[depth > -EDGE_DEPTH] = EDGE
    for corner in corners(kind):
        reach = TIP_RADIUS if corner.tip else CORNER_RADIUS
        part[np.hypot(u - corner.x, v - corner.y) < reach] = TIP if corner.tip else CORNER
    return part


def _cast(task: str, index: int) -> tuple[int, int, int, frozenset[int]]:
    """Label, scene, main object, and the objects that no distractor may be."""
    label = index % len(class_names(task))
    if task == "pair":
        scene, main = PAIRS[label]
        return label, scene, main, frozenset((scene, (scene + 1) % MAIN_OBJECTS))
    return label, index // MAIN_OBJECTS % SCENES, label, frozenset(range(MAIN_OBJECTS))


def _place(rng: Rng, task: str, main: int, banned: frozenset[int]) -> list[_Place]:
    """The main object, then up to two smaller ones that find room."""
    wanted = [(main, rng.uniform(0.22, 0.31))]
    for _ in range(rng.below(3)):
        kind = rng.below(OBJECTS) if task == "pair" else MAIN_OBJECTS + rng.below(OBJECTS - MAIN_OBJECTS)
        if kind not in banned:
            wanted.append((kind, rng.uniform(0.10, 0.15)))
    placed: list[_Place] = []
    for kind, radius in wanted:
        for _ in range(PLACING_TRIES):
            x, y = rng.uniform(radius, 1 - radius, 2)
            if all(np.hypot(x - other.x, y - other.y) > 0.9 * (radius + other.radius) for other in placed):
                placed.append(_Place(kind, radius, x, y))
                break
    return placed


def sample(seed: int, split: int, index: int, size: int = SIZE, task: str = "pair") -> Sample:
    """Picture `index` of a split (0 training, 1 validation, 2 test), `size` pixels a side.

    The label is the index modulo the number of classes, so that every run of pictures is balanced.
    Raises UnknownName for a task that isn't there.
    """
    rng = Rng(seed, split, index)
    label, scene, main, banned = _cast(task, index)
    canvas = _Canvas(size)
    background = canvas.paint_scene(rng, scene)
    places = _place(rng, task, main, banned)
    for number, place in reversed(list(enumerate(places))):  # the main object last: it is never hidden
        canvas.paint_object(rng, place, number, background)
    grain = (rng.uniform(size=(size, size, 3)) - 0.5) * 8
    image = np.clip(np.rint(canvas.image + grain), 0, 255).astype(np.uint8)
    return Sample(image, canvas.maps, label, canvas.boxes(places))


def batch(seed: int, split: int, start: int, count: int, size: int = SIZE, task: str = "pair") -> list[Sample]:
    """Pictures start..start + count - 1."""
    return [sample(seed, split, index, size, task) for index in range(start, start + count)]
