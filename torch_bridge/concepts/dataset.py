"""The `concepts` data set: procedural pictures whose pixels are labelled exactly in six categories. Needs numpy only.

A picture depends on (seed, split, index, size, task) alone, so any order, shard or subset gives the same pictures.
Task "object": the class is the main object, independent of the scene. Task "pair": the class is a scene with one of its
two objects; neither alone determines it. Shape pictures are simpler: one light object on a plain dark ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .backgrounds import BACKGROUNDS
from .objects import corners, outline_distance
from .seeded_random import Rng
from .textures import material, texture
from .vocabulary import CATEGORIES, CONCEPTS, CRESCENT, MAIN_OBJECTS, OFFSETS, PAINTS, PAIRS, SCENES, class_names

SIZE = 64
"""Default height and width of a picture in pixels."""
OBJECTS, TEXTURES, MATERIALS = (len(CONCEPTS[category]) for category in ("object", "texture", "material"))
EDGE_DEPTH, CENTRE_RADIUS, TIP_RADIUS, CORNER_RADIUS = 0.14, 0.3, 0.38, 0.3
"""Sizes of the parts, in radii of the object."""
EDGE, CORNER, TIP, CENTRE = 1, 2, 3, 4
"""Indices in the part map."""
PLACEMENT_ATTEMPTS = 12
MIN_PAINT_DIFFERENCE = 150
"""Sum of the differences in red, green and blue (0..255) below which two paints count as similar."""
SHAPE_PAINTS, SHAPE_GROUNDS = (1, 5, 4), (0, 7, 8)
"""Paints of the shape pictures: white, yellow and orange objects on black, blue and purple grounds."""
SHAPE_RADII, SHAPE_SHIFT, SHAPE_TURN = (0.30, 0.38), 0.015, 0.15
"""Ranges of the shape pictures: radius, and largest distance from the middle, in sides; largest turn in radians."""
FLAT = 1
"""Index of the material."""


class ObjectBox(NamedTuple):
    """Bounding box of an object's visible pixels, half-open, in pixels from the upper left corner."""

    concept: int
    """Index 1..8 in the object map."""
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Sample:
    """A picture with its labels."""

    image: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""
    maps: np.ndarray
    """(6, H, W) uint8 indices in each category, in the order of CATEGORIES; 0 is none."""
    label: int
    """Index into the task's class names."""
    boxes: tuple[ObjectBox, ...]
    """Boxes of the visible objects, the main one first."""

    def global_maps(self) -> np.ndarray:
        """Returns global concept indices 1..39, (6, H, W) int64; 0 is none."""
        return np.where(self.maps > 0, self.maps + np.array(OFFSETS)[:, None, None], 0)


class ObjectPlace(NamedTuple):
    """An object's kind (position among the objects), and its radius and centre as shares of the side."""

    kind: int
    radius: float
    x: float
    y: float


class LabelledCanvas:
    """A picture while it is painted, with its maps."""

    def __init__(self, size: int) -> None:
        self.y, self.x = (np.mgrid[:size, :size] + 0.5) / size
        self.pixel = 1 / size
        self.image = np.zeros((size, size, 3))
        """(H, W, 3) float64 sRGB 0..255."""
        self.maps = np.zeros((len(CATEGORIES), size, size), np.uint8)
        self.owner = np.full((size, size), -1)
        """(H, W) int64: number of the object that a pixel shows, -1 for the background."""

    def paint_scene(self, rng: Rng, scene: int) -> tuple[int, int]:
        """Paints the background and returns its two paints, which are softened towards their mean in the picture."""
        first = rng.below(len(PAINTS))
        second = (first + 1 + rng.below(len(PAINTS) - 1)) % len(PAINTS)
        self.paint_background(rng, scene, first, second)
        return first, second

    def paint_background(self, rng: Rng, scene: int, first: int, second: int) -> None:
        """Paints the background with two paints, which are softened towards their mean."""
        mix = BACKGROUNDS[scene](rng, self.x, self.y, self.pixel)
        self.image = PAINTS[first] + (PAINTS[second] - PAINTS[first]) * (0.225 + 0.55 * mix[..., None])
        self.maps[0] = scene + 1
        self.maps[5] = np.where(mix > 0.5, second + 1, first + 1)

    def paint_object(self, rng: Rng, place: ObjectPlace, number: int, background: tuple[int, int]) -> None:
        """Paints an object on top; background: the two background paints, which the object's first one avoids."""
        angle = rng.uniform(0, 6.28) if place.kind == CRESCENT else rng.uniform(-0.5, 0.5)
        u, v, depth, cover = self._outline(place, angle)
        material_kind, texture_kind = 1 + rng.below(MATERIALS), rng.below(TEXTURES + 1)
        paints = _object_paints(rng, background)
        mix = texture(rng, texture_kind, u, v, self.pixel / place.radius)
        lighting, highlight = material(rng, material_kind, u, v, depth)
        base, other = PAINTS[paints[0]], PAINTS[paints[1]]
        paint = (base + (other - base) * mix[..., None]) * lighting[..., None] + np.asarray(highlight)[..., None]
        self.image = self.image + (paint - self.image) * cover[..., None]
        colour = np.where(mix > 0.5, paints[1], paints[0]) + 1
        labels = (0, place.kind + 1, _parts(place.kind, u, v, depth), material_kind, texture_kind, colour)
        self._label(cover > 0.5, labels, number)

    def paint_shape(self, place: ObjectPlace, angle: float, paint: int, ground: int) -> None:
        """Paints a plain ground and on it a flat object without texture; angle in radians."""
        self.image, self.maps[5] = self.image + PAINTS[ground], ground + 1
        self.paint_flat_object(place, angle, paint)

    def paint_flat_object(self, place: ObjectPlace, angle: float, paint: int) -> None:
        """Paints an object of one paint, without lighting and texture, on top; angle in radians."""
        u, v, depth, cover = self._outline(place, angle)
        self.image = self.image + (PAINTS[paint] - self.image) * cover[..., None]
        self._label(cover > 0.5, (0, place.kind + 1, _parts(place.kind, u, v, depth), FLAT, 0, paint + 1), 0)

    def _outline(self, place: ObjectPlace, angle: float) -> tuple[np.ndarray, ...]:
        """Returns u, v and the signed distance to the outline in radii, and the object's share of each pixel."""
        c, s = np.cos(angle) / place.radius, np.sin(angle) / place.radius
        dx, dy = self.x - place.x, self.y - place.y
        u, v = dx * c + dy * s, dy * c - dx * s
        depth = outline_distance(place.kind, u, v)
        return u, v, depth, np.clip(0.5 - depth * place.radius / self.pixel, 0, 1)

    def _label(self, inside: np.ndarray, labels: tuple, number: int) -> None:
        for row, value in enumerate(labels):
            self.maps[row] = np.where(inside, value, self.maps[row])
        self.owner[inside] = number

    def boxes(self, places: list[ObjectPlace]) -> tuple[ObjectBox, ...]:
        """Returns the boxes of the objects that are visible."""
        found = []
        for number, place in enumerate(places):
            rows, columns = np.nonzero(self.owner == number)
            if len(rows):
                ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
                found.append(ObjectBox(place.kind + 1, *map(int, ends)))
        return tuple(found)


def _object_paints(rng: Rng, background: tuple[int, int]) -> tuple[int, int]:
    """Draws two paints that differ clearly, the first also from the background's paints."""

    def is_similar(a: int, b: int) -> bool:
        return bool(np.abs(PAINTS[a] - PAINTS[b]).sum() < MIN_PAINT_DIFFERENCE)

    first = next(p for p in rng.order(len(PAINTS)) if not any(is_similar(p, b) for b in background))
    return first, next(p for p in rng.order(len(PAINTS)) if not is_similar(p, first))


def _parts(kind: int, u: np.ndarray, v: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Returns the part map (H, W) int64 of an object; corners and tips win over the edge, the edge over the centre."""
    part = np.where(np.hypot(u, v) < CENTRE_RADIUS, CENTRE, 0)
    part[depth > -EDGE_DEPTH] = EDGE
    for corner in corners(kind):
        radius, index = (TIP_RADIUS, TIP) if corner.is_tip else (CORNER_RADIUS, CORNER)
        part[np.hypot(u - corner.x, v - corner.y) < radius] = index
    return part


def _choose_content(task: str, index: int) -> tuple[int, int, int, frozenset[int]]:
    """Returns the label, the scene, the main object, and the objects that no distractor may be."""
    label = index % len(class_names(task))
    if task == "pair":
        scene, main = PAIRS[label]
        return label, scene, main, frozenset((scene, (scene + 1) % MAIN_OBJECTS))
    return label, index // MAIN_OBJECTS % SCENES, label, frozenset(range(MAIN_OBJECTS))


def _place_objects(rng: Rng, task: str, main: int, banned: frozenset[int]) -> list[ObjectPlace]:
    """Places the main object, then up to two smaller ones where there is room."""
    objects = [(main, rng.uniform(0.22, 0.31))]
    for _ in range(rng.below(3)):
        kind = rng.below(OBJECTS) if task == "pair" else MAIN_OBJECTS + rng.below(OBJECTS - MAIN_OBJECTS)
        if kind not in banned:
            objects.append((kind, rng.uniform(0.10, 0.15)))
    placed: list[ObjectPlace] = []
    for kind, radius in objects:
        for _ in range(PLACEMENT_ATTEMPTS):
            x, y = rng.uniform(radius, 1 - radius, 2)
            if all(np.hypot(x - other.x, y - other.y) > 0.9 * (radius + other.radius) for other in placed):
                placed.append(ObjectPlace(kind, radius, x, y))
                break
    return placed


def sample(seed: int, split: int, index: int, size: int = SIZE, task: str = "pair") -> Sample:
    """Makes a picture of `size` x `size` pixels. split: 0 training, 1 validation, 2 test.

    The label is the index modulo the number of classes, so that any run of pictures is balanced. Raises UnknownName for
    an unknown task.
    """
    rng = Rng(seed, split, index)
    label, scene, main, banned = _choose_content(task, index)
    canvas = LabelledCanvas(size)
    background = canvas.paint_scene(rng, scene)
    places = _place_objects(rng, task, main, banned)
    for number, place in reversed(list(enumerate(places))):  # the main object last, so that it is never hidden
        canvas.paint_object(rng, place, number, background)
    grain = (rng.uniform(size=(size, size, 3)) - 0.5) * 8
    image = np.clip(np.rint(canvas.image + grain), 0, 255).astype(np.uint8)
    return Sample(image, canvas.maps, label, canvas.boxes(places))


def shape_sample(seed: int, split: int, index: int, size: int = SIZE) -> Sample:
    """Makes a picture of one light object, nearly upright in the middle of a plain dark ground, without scene or grain.

    The label is the object, the index modulo MAIN_OBJECTS. What the pictures can show is so little that a generator
    trained on them draws clear outlines.
    """
    rng = Rng(seed, split, index)
    canvas, label = LabelledCanvas(size), index % MAIN_OBJECTS
    ground, paint = SHAPE_GROUNDS[rng.below(len(SHAPE_GROUNDS))], SHAPE_PAINTS[rng.below(len(SHAPE_PAINTS))]
    radius = rng.uniform(*SHAPE_RADII)
    x, y = 0.5 + rng.uniform(-SHAPE_SHIFT, SHAPE_SHIFT, 2)
    place = ObjectPlace(label, radius, x, y)
    canvas.paint_shape(place, rng.uniform(-SHAPE_TURN, SHAPE_TURN), paint, ground)
    return Sample(np.rint(canvas.image).astype(np.uint8), canvas.maps, label, canvas.boxes([place]))


def batch(seed: int, split: int, start: int, count: int, size: int = SIZE, task: str = "pair") -> list[Sample]:
    """Makes the pictures start..start + count - 1 of a split."""
    return [sample(seed, split, index, size, task) for index in range(start, start + count)]
