"""The rooms that toys stand in: walls and skies above the horizon, floors in perspective below it.

A wall or floor is a pair of paints and their mix, (H, W) float64 in 0..1, at positions (H, W) float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..concepts.seeded_random import Rng, soft_step, value_noise

WALLS = (
    ((214, 200, 180), (186, 170, 150)), ((120, 150, 170), (96, 124, 148)), ((226, 210, 140), (204, 184, 112)),
    ((190, 140, 130), (160, 110, 104)), ((150, 176, 140), (122, 150, 116)), ((200, 190, 214), (168, 156, 190)),
    ((84, 92, 116), (64, 70, 94)), ((236, 230, 220), (212, 204, 194)),
)  # fmt: skip
SKIES = (((92, 156, 222), (236, 242, 248)), ((240, 160, 110), (250, 214, 160)), ((60, 72, 120), (140, 120, 168)))
FLOORS = (
    ((166, 116, 70), (124, 82, 48)), ((206, 196, 184), (120, 112, 110)), ((96, 150, 76), (60, 112, 56)),
    ((222, 196, 140), (198, 168, 112)), ((140, 60, 60), (104, 42, 48)), ((80, 104, 140), (54, 74, 108)),
)  # fmt: skip


class Room(NamedTuple):
    """An empty room."""

    image: np.ndarray
    """(H, W, 3) float64 sRGB 0..255."""
    horizon: float
    """Where the floor begins, as a share of the side from above."""
    light: np.ndarray
    """(3,) float64, of length 1: the direction to the light, right, down and towards the viewer."""


def paint_room(rng: Rng, x: np.ndarray, y: np.ndarray) -> Room:
    """Draws a room; x, y: (H, W) float64, the pixels' centres from the upper left corner, 0..1."""
    pixel, horizon = 1 / len(x), rng.uniform(0.4, 0.58)
    side = 1 if rng.below(2) else -1
    light = np.array([side * rng.uniform(0.35, 0.8), -rng.uniform(0.5, 0.9), rng.uniform(0.5, 0.9)])
    wall, floor = _paint_wall(rng, x, y, pixel, horizon), _paint_floor(rng, x, y, pixel, horizon)
    image = wall + (floor - wall) * soft_step(y - horizon, 1.5 * pixel)[..., None]
    # a pool of light on the lit side, a dark line where the floor meets the wall
    glow = 1.14 - 0.5 * np.hypot(x - 0.5 - 0.3 * side, y - 0.35) ** 1.5
    seam = 1 - 0.28 * np.exp(-np.abs(y - horizon) / 0.025)
    return Room(image * (glow * seam)[..., None], horizon, light / np.linalg.norm(light))


def _blend(paints: tuple[tuple[int, ...], tuple[int, ...]], tint: np.ndarray, mix: np.ndarray) -> np.ndarray:
    first, second = np.array(paints, float) + tint
    return first + (second - first) * mix[..., None]


def _paint_wall(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float, horizon: float) -> np.ndarray:
    kind, tint = rng.below(6), rng.uniform(-16, 16, 3)
    if kind < 2:
        sky = SKIES[rng.below(len(SKIES))]
        clouds = soft_step(0.6 * value_noise(rng, x, y, 5) + 0.4 * value_noise(rng, x, y, 11) - 0.55, 0.4)
        air = np.clip(np.maximum(y / horizon * 0.7, clouds), 0, 1)
        ridge = horizon - rng.uniform(0.04, 0.12) - 0.04 * np.sin(7 * x + rng.uniform(0, 6)) - 0.03 * np.sin(13 * x)
        hills = soft_step(y - ridge, 2 * pixel) * kind
        return _blend(sky, tint, air) * (1 - 0.45 * hills[..., None])
    return _blend(WALLS[rng.below(len(WALLS))], tint, _wallpaper(rng, kind, x, y, pixel))


def _wallpaper(rng: Rng, kind: int, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    """Returns the mix of a wall's paints: clouded plaster, stripes, dots or bricks."""
    count, shift = rng.uniform(7, 12), rng.uniform()
    s, t = (x * count + shift) % 1, (y * count + shift) % 1
    if kind == 2:
        return 0.8 * value_noise(rng, x, y, 4)
    if kind == 3:
        return soft_step(0.25 - np.abs(s - 0.5), 1.2 * pixel * count)
    if kind == 4:
        return soft_step(0.26 - np.hypot(s - 0.5, t - 0.5), 1.2 * pixel * count)
    row = np.floor(y * count + shift)
    along = (x * count / 2 + 0.5 * (row % 2)) % 1
    joint = np.minimum(np.minimum(along, 1 - along) * 2, np.minimum(t, 1 - t))
    return soft_step(0.08 - joint, 1.2 * pixel * count) + 0.2 * value_noise(rng, x, y, 9)


def _paint_floor(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float, horizon: float) -> np.ndarray:
    kind, tint = rng.below(len(FLOORS)), rng.uniform(-12, 12, 3)
    depth = 0.35 / np.maximum(y - horizon + 0.06, 0.02)  # distance on the floor, from about 0.6 to 6
    along, shift = (x - 0.5) * depth, rng.uniform(0, 1, 2)
    blur = pixel * depth * 6  # patterns fade with distance, where they would alias
    fade = np.clip(1.4 - depth * depth / 12, 0, 1)
    if kind == 0:
        board = (along * 5 + shift[0]) % 1
        mix = soft_step(0.06 - np.minimum(board, 1 - board), blur) + 0.35 * value_noise(rng, x, y, 7)
    elif kind in (1, 5):
        a, b = (np.abs((q * 1.6 % 2) - 1) - 0.5 for q in (along + shift[0], depth + shift[1]))
        mix = 0.5 + 2 * (soft_step(a, blur) - 0.5) * (soft_step(b, blur) - 0.5)
    else:
        mix = 0.6 * value_noise(rng, x, y, 24) + 0.4 * value_noise(rng, x, y, 9)
    return _blend(FLOORS[kind], tint, 0.4 + (np.clip(mix, 0, 1) - 0.4) * fade)
