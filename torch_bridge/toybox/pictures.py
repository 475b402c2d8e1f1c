"""The `toybox` pictures: several lit toys in a room, with shadows; the class is the largest toy. Needs numpy only.

A picture depends on (seed, split, index, size) alone, so any order, shard or subset gives the same pictures.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..concepts.seeded_random import Rng, soft_step
from .rooms import Room, paint_room
from .toys import CLASSES, FLYING, TOYS, ToyPart

VERSION = 1
"""Raised by any change of a picture."""
SIZE = 128
"""Default height and width of a picture in pixels."""
SPLITS = {"train": 0, "validation": 1, "test": 2}
KEY = 7
"""Separates the random numbers of these pictures from those of `concepts`."""
PLACEMENT_ATTEMPTS = 12
SHADOW_SLOPE = 0.34
"""Length of a shadow on the floor, as seen, for each unit of height."""


class Toy(NamedTuple):
    """A toy's class and place in the picture."""

    label: int
    radius: float
    """As a share of the picture's side, as are x and y."""
    x: float
    y: float
    """Of the toy's middle, from above."""


class ToyPicture(NamedTuple):
    """A picture with its labels."""

    image: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""
    label: int
    """Index of the largest toy's class."""
    toys: tuple[Toy, ...]
    """The largest first."""


def sample(seed: int, split: int, index: int, size: int = SIZE) -> ToyPicture:
    """Makes a picture of `size` x `size` pixels. split: 0 training, 1 validation, 2 test.

    The label is the index modulo the number of classes, so that any run of pictures is balanced.
    """
    rng = Rng(seed, split, index, KEY)
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    room = paint_room(rng, x, y)
    toys = _place_toys(rng, index % len(CLASSES), room.horizon)
    image = room.image
    for toy in sorted(toys, key=lambda toy: toy.y + toy.radius):  # from the back to the front
        image = _paint_toy(rng, image, x, y, toy, room)
    grain = (rng.uniform(size=(size, size, 3)) - 0.5) * 7
    return ToyPicture(np.clip(np.rint(image + grain), 0, 255).astype(np.uint8), index % len(CLASSES), toys)


def _place_toys(rng: Rng, label: int, horizon: float) -> tuple[Toy, ...]:
    """Places the largest toy, then one to three smaller ones of other classes where there is room."""
    toys: list[Toy] = []
    for number in range(2 + rng.below(3)):
        kind = label if not number else (label + 1 + rng.below(len(CLASSES) - 1)) % len(CLASSES)
        radius = rng.uniform(0.25, 0.33) if not number else rng.uniform(0.10, 0.15)
        for _ in range(PLACEMENT_ATTEMPTS):
            x, foot = rng.uniform(radius, 1 - radius), rng.uniform(max(horizon + 0.08, 2 * radius), 0.96)
            y = rng.uniform(radius, horizon) if CLASSES[kind] in FLYING else foot - radius
            if all(np.hypot(x - toy.x, y - toy.y) > 0.95 * (radius + toy.radius) for toy in toys):
                toys.append(Toy(kind, radius, x, y))
                break
    return tuple(toys)


def _paint_toy(rng: Rng, image: np.ndarray, x: np.ndarray, y: np.ndarray, toy: Toy, room: Room) -> np.ndarray:
    """Returns the picture (H, W, 3) float64 with a toy and its shadow on top; x, y: (H, W) positions of the pixels."""
    parts, tilt = TOYS[CLASSES[toy.label]](rng), rng.uniform(-0.12, 0.12)
    flies = CLASSES[toy.label] in FLYING
    tilt = 3 * tilt if flies else tilt * 0.4
    image = image.copy()
    rows, columns = (_window(len(x), centre, 2.2 * toy.radius) for centre in (toy.y, toy.x))
    u, v = (x[rows, columns] - toy.x) / toy.radius, (y[rows, columns] - toy.y) / toy.radius
    patch, pixel = image[rows, columns], 1 / len(x) / toy.radius
    shadow = _wall_shadow(parts, u, v, room.light) if flies else _floor_shadow(parts, u, v, room.light)
    on_floor = 1.0 if flies else soft_step(y[rows, columns] - room.horizon, 0.03)
    patch *= (1 - 0.55 * shadow * on_floor)[..., None]
    c, s = np.cos(tilt), np.sin(tilt)
    for part in parts:
        _paint_part(patch, part, u * c + v * s, v * c - u * s, pixel, room.light)
    return image


def _window(size: int, centre: float, reach: float) -> slice:
    return slice(max(int((centre - reach) * size), 0), min(int((centre + reach) * size) + 1, size))


def _silhouette(parts: list[ToyPart], u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.minimum.reduce([part.shape(u, v) for part in parts])


def _floor_shadow(parts: list[ToyPart], u: np.ndarray, v: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Returns the darkness (H, W) float64 in 0..1 of the shadow that a standing toy casts behind itself."""
    height = (1 - v) / SHADOW_SLOPE
    cast = _silhouette(parts, u + 1.1 * light[0] * height, 1 - height)
    long = soft_step(-cast, 0.12 + 0.3 * np.clip(height, 0, 2)) * (height > -0.1)
    contact = np.exp(-np.maximum(np.hypot(u / 0.9, (v - 0.97) / 0.16) - 0.4, 0) * 2.2)
    return np.maximum(long * 0.8, contact)


def _wall_shadow(parts: list[ToyPart], u: np.ndarray, v: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Returns the darkness (H, W) float64 in 0..1 of the shadow on the wall behind a flying toy."""
    return 0.7 * soft_step(-_silhouette(parts, u + 0.45 * light[0], v + 0.45 * light[1]), 0.4)


def _paint_part(
    patch: np.ndarray, part: ToyPart, u: np.ndarray, v: np.ndarray, pixel: float, light: np.ndarray
) -> None:
    """Paints a part with a rounded edge, lit, into patch (H, W, 3) float64; pixel: its side in radii."""
    depth = part.shape(u, v)
    cover = np.clip(0.5 - depth / pixel, 0, 1)
    down, right = np.gradient(depth)
    length = np.maximum(np.hypot(down, right), 1e-9)
    lean = 0.96 * np.clip(1 + depth / part.bevel, 0, 1)  # the sine of the slope: none inside, upright at the outline
    nx, ny, nz = right / length * lean, down / length * lean, np.sqrt(1 - lean * lean)
    halfway = light + (0, 0, 1)
    halfway = halfway / np.linalg.norm(halfway)
    lit = 0.42 + 0.74 * np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0, 1)
    shine = 190 * part.gloss * np.clip(nx * halfway[0] + ny * halfway[1] + nz * halfway[2], 0, 1) ** 40
    paint = np.array(part.paint) * np.ones((*u.shape, 1))
    if part.second is not None:
        paint += (np.array(part.second) - part.paint) * soft_step(np.abs((v * 2.2 % 1) - 0.5) - 0.27, 3 * pixel)[
            ..., None
        ]
    # flat parts would all shine at once where the light is in front
    shine = shine * np.clip(part.bevel / 0.2, 0, 1)
    patch += (paint * lit[..., None] + shine[..., None] - patch) * cover[..., None]
