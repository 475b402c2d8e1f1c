"""The twelve toys: the parts of each with their paints, from back to front. Lengths in radii of a toy, v down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..concepts.seeded_random import Rng
from .shapes import Shape, box, cut, dented, ellipse, polygon, ring

Paint = tuple[float, float, float]
"""sRGB, 0..255."""


class ToyPart(NamedTuple):
    """A part of a toy."""

    shape: Shape
    paint: Paint
    bevel: float
    """Depth of the rounded edge in radii: a circle with its radius is a ball, 0.05 a board."""
    gloss: float = 0.5
    """Strength of the highlight, 0..1."""
    second: Paint | None = None
    """Paint of the pattern, None for plain."""


RED, ORANGE, YELLOW, GREEN = (214, 44, 42), (240, 130, 32), (248, 208, 52), (66, 160, 66)
TEAL, BLUE, PURPLE, PINK = (32, 160, 160), (44, 98, 206), (126, 66, 170), (242, 138, 178)
WHITE, BLACK, BROWN, CREAM, SILVER = (244, 243, 238), (26, 26, 32), (122, 78, 44), (246, 226, 190), (190, 196, 204)
BRIGHT = (RED, ORANGE, YELLOW, GREEN, TEAL, BLUE, PURPLE, PINK, WHITE)
GLASS = (150, 210, 236)


def _choose(rng: Rng, paints: tuple[Paint, ...]) -> Paint:
    """Draws a paint and varies its brightness and tint a little."""
    paint = np.array(paints[rng.below(len(paints))]) * rng.uniform(0.85, 1.08) + rng.uniform(-14, 14, 3)
    red, green, blue = np.clip(paint, 8, 250)
    return float(red), float(green), float(blue)


def _darker(paint: Paint, share: float) -> Paint:
    return paint[0] * share, paint[1] * share, paint[2] * share


def _two(rng: Rng, paints: tuple[Paint, ...] = BRIGHT) -> tuple[Paint, Paint]:
    """Draws two different paints."""
    first, second = rng.order(len(paints))[:2]
    return _choose(rng, (paints[first],)), _choose(rng, (paints[second],))


def _apple(rng: Rng) -> list[ToyPart]:
    body, dent = _choose(rng, (RED, RED, GREEN, YELLOW)), rng.uniform(0.16, 0.28)
    flesh = dented(0, 0.16, 0.84, dent)
    stem = polygon([(-0.05, -0.4), (0.05, -0.4), (0.16, -0.94), (0.06, -0.96)])
    leaf = ellipse(0.36, -0.76, 0.32, 0.13, -0.4)
    return [ToyPart(flesh, body, 0.72, 0.9), ToyPart(stem, BROWN, 0.06), ToyPart(leaf, _choose(rng, (GREEN,)), 0.12)]


def _bear(rng: Rng) -> list[ToyPart]:
    fur = _choose(rng, (BROWN, (176, 122, 72), CREAM, (150, 150, 156)))
    snout, inside = _choose(rng, (CREAM, (228, 196, 150))), _choose(rng, (PINK, CREAM))
    ear = rng.uniform(0.28, 0.36)
    parts = [ToyPart(ellipse(side * 0.66, -0.6, ear, ear), fur, ear, 0.1) for side in (-1, 1)]
    parts += [ToyPart(ellipse(side * 0.66, -0.58, ear * 0.55, ear * 0.55), inside, 0.1, 0.1) for side in (-1, 1)]
    parts.append(ToyPart(ellipse(0, 0.1, 0.96, 0.88), fur, 0.86, 0.15))
    parts.append(ToyPart(ellipse(0, 0.42, 0.42, 0.33), snout, 0.3, 0.1))
    parts += [ToyPart(ellipse(side * 0.36, -0.1, 0.11, 0.13), BLACK, 0.1, 1.0) for side in (-1, 1)]
    return [
        *parts,
        ToyPart(ellipse(0, 0.28, 0.16, 0.11), BLACK, 0.1, 1.0),
        ToyPart(box(0, 0.5, 0.025, 0.13), BLACK, 0.03),
    ]


def _boat(rng: Rng) -> list[ToyPart]:
    hull, stripe = _two(rng)
    sail, other = _choose(rng, BRIGHT), _choose(rng, (WHITE, CREAM, YELLOW))
    reach = rng.uniform(0.6, 0.82)
    return [
        ToyPart(box(0, -0.2, 0.04, 0.8), BROWN, 0.04),
        ToyPart(polygon([(0.09, -0.95), (reach, 0.28), (0.09, 0.28)], 0.02), sail, 0.12, 0.1, other),
        ToyPart(polygon([(-0.09, -0.7), (-reach * 0.8, 0.28), (-0.09, 0.28)], 0.02), other, 0.12, 0.1),
        ToyPart(polygon([(-0.94, 0.44), (0.94, 0.44), (0.6, 0.96), (-0.6, 0.96)], 0.04), hull, 0.28, 0.7),
        ToyPart(box(0, 0.47, 0.92, 0.07, 0.05), stripe, 0.06, 0.7),
    ]


def _butterfly(rng: Rng) -> list[ToyPart]:
    wing, spot = _two(rng)
    lower, tilt = _choose(rng, BRIGHT), rng.uniform(0.5, 0.8)
    parts = []
    for side in (-1, 1):
        parts.append(ToyPart(ellipse(side * 0.44, 0.44, 0.34, 0.48, side * -0.6), lower, 0.16, 0.3))
        parts.append(ToyPart(ellipse(side * 0.52, -0.34, 0.42, 0.62, side * tilt), wing, 0.18, 0.3))
        parts.append(ToyPart(ellipse(side * 0.6, -0.42, 0.16, 0.22, side * tilt), spot, 0.08, 0.3))
        parts.append(ToyPart(ellipse(side * 0.46, 0.5, 0.11, 0.15), WHITE, 0.08, 0.3))
        parts.append(ToyPart(polygon([(0, -0.5), (side * 0.24, -0.98), (side * 0.3, -0.95), (0, -0.4)]), BLACK, 0.03))
    return [*parts, ToyPart(ellipse(0, 0.06, 0.1, 0.64), _choose(rng, (BLACK, BROWN)), 0.1, 0.6)]


def _car(rng: Rng) -> list[ToyPart]:
    body, roof = _choose(rng, BRIGHT), _choose(rng, BRIGHT)
    front, tall = rng.uniform(0.42, 0.6), rng.uniform(-0.46, -0.34)
    cabin = polygon([(-0.62, 0.1), (-0.4, tall), (0.26, tall), (front, 0.1)], 0.06)
    parts = [ToyPart(cabin, roof, 0.14, 0.8)]
    parts.append(
        ToyPart(polygon([(-0.46, 0.06), (-0.32, tall + 0.1), (-0.12, tall + 0.1), (-0.12, 0.06)]), GLASS, 0.05, 1.0)
    )
    parts.append(
        ToyPart(polygon([(0, 0.06), (0, tall + 0.1), (0.2, tall + 0.1), (front - 0.14, 0.06)]), GLASS, 0.05, 1.0)
    )
    parts.append(ToyPart(box(0, 0.34, 0.98, 0.3, 0.2), body, 0.26, 0.9))
    parts.append(ToyPart(ellipse(0.86, 0.26, 0.09, 0.1), YELLOW, 0.09, 1.0))
    for x in (-0.52, 0.54):
        parts.append(ToyPart(ellipse(x, 0.64, 0.32, 0.32), BLACK, 0.14, 0.4))
        parts.append(ToyPart(ellipse(x, 0.64, 0.14, 0.14), SILVER, 0.12, 0.9))
    return parts


def _cup(rng: Rng) -> list[ToyPart]:
    china, inside = _two(rng)
    narrow, side = rng.uniform(0.5, 0.66), 1 if rng.below(2) else -1
    band = _choose(rng, BRIGHT)
    body = polygon([(-0.68, -0.6), (0.68, -0.6), (narrow, 0.92), (-narrow, 0.92)], 0.06)
    return [
        ToyPart(ring(side * 0.7, 0.06, 0.32, 0.09), china, 0.09, 0.9),
        ToyPart(body, china, 0.26, 0.8, band if rng.below(2) else None),
        ToyPart(ellipse(0, -0.62, 0.74, 0.2), china, 0.06, 0.8),
        ToyPart(ellipse(0, -0.6, 0.64, 0.15), _darker(inside, 0.5), 0.02, 0.2),
    ]


def _fish(rng: Rng) -> list[ToyPart]:
    scales, fins = _two(rng)
    side, tall = 1 if rng.below(2) else -1, rng.uniform(0.46, 0.6)
    stripes = _choose(rng, BRIGHT) if rng.below(2) else None
    tail = polygon([(side * -0.45, 0), (side * -0.95, -0.46), (side * -0.8, 0), (side * -0.95, 0.46)], 0.04)
    back = polygon([(side * -0.3, -0.3), (side * 0.05, -tall - 0.3), (side * 0.3, -0.3)], 0.04)
    return [
        ToyPart(tail, fins, 0.12, 0.3),
        ToyPart(back, fins, 0.12, 0.3),
        ToyPart(ellipse(side * 0.14, 0.02, 0.8, tall), scales, 0.5, 0.9, stripes),
        ToyPart(ellipse(side * 0.02, 0.16, 0.2, 0.13, side * 0.5), fins, 0.1, 0.3),
        ToyPart(ellipse(side * 0.56, -0.12, 0.15, 0.15), WHITE, 0.12, 0.6),
        ToyPart(ellipse(side * 0.6, -0.12, 0.08, 0.08), BLACK, 0.08, 1.0),
    ]


def _flower(rng: Rng) -> list[ToyPart]:
    petal, heart = _choose(rng, BRIGHT), _choose(rng, (YELLOW, ORANGE, BROWN))
    count, turn, leaf = 5 + rng.below(4), rng.uniform(0, 1.2), _choose(rng, (GREEN, TEAL))
    parts = [ToyPart(box(0, 0.5, 0.05, 0.48), leaf, 0.05)]
    parts += [ToyPart(ellipse(side * 0.3, 0.62, 0.32, 0.12, side * -0.5), leaf, 0.1) for side in (-1, 1)]
    for k in range(count):
        angle = turn + 2 * np.pi * k / count
        x, y = 0.38 * np.cos(angle), -0.36 + 0.38 * np.sin(angle)
        parts.append(ToyPart(ellipse(x, y, 0.3, 1.0 / count, angle), petal, 0.14, 0.2))
    return [*parts, ToyPart(ellipse(0, -0.36, 0.2, 0.2), heart, 0.18, 0.2)]


def _house(rng: Rng) -> list[ToyPart]:
    wall, roof = _choose(rng, (WHITE, CREAM, YELLOW, PINK, TEAL, ORANGE)), _choose(rng, (RED, BLUE, BROWN, PURPLE))
    door, side = _choose(rng, (BROWN, RED, BLUE, GREEN)), 1 if rng.below(2) else -1
    peak = rng.uniform(-0.96, -0.8)
    return [
        ToyPart(box(side * 0.46, -0.58, 0.11, 0.32), (150, 84, 70), 0.08, 0.1),
        ToyPart(box(0, 0.46, 0.74, 0.52), wall, 0.1, 0.2),
        ToyPart(polygon([(0, peak), (0.9, -0.02), (-0.9, -0.02)], 0.05), roof, 0.2, 0.3, _darker(roof, 0.7)),
        ToyPart(box(side * -0.3, 0.62, 0.17, 0.36, 0.03), door, 0.05, 0.4),
        ToyPart(box(side * 0.32, 0.42, 0.24, 0.22), WHITE, 0.03),
        ToyPart(box(side * 0.32, 0.42, 0.19, 0.17), GLASS, 0.04, 1.0),
        ToyPart(box(side * 0.32, 0.42, 0.02, 0.18), WHITE, 0.02),
        ToyPart(box(side * 0.32, 0.42, 0.2, 0.02), WHITE, 0.02),
    ]


def _mushroom(rng: Rng) -> list[ToyPart]:
    cap, dot = _choose(rng, (RED, ORANGE, BROWN, PURPLE)), _choose(rng, (WHITE, CREAM))
    thick = rng.uniform(0.24, 0.34)
    stem = polygon([(-thick, -0.1), (thick, -0.1), (thick + 0.14, 0.9), (-thick - 0.14, 0.9)], 0.08)
    dome = cut(ellipse(0, 0.05, 0.98, rng.uniform(0.86, 1.02)), box(0, 0.7, 2, 0.6))
    spots = ((-0.5, -0.16, 0.16), (0.05, -0.46, 0.2), (0.55, -0.22, 0.14), (0.12, -0.06, 0.1))
    return [
        ToyPart(stem, CREAM, 0.36, 0.2),
        ToyPart(dome, cap, 0.6, 0.8),
        *(ToyPart(ellipse(x, y, r, r * 0.85), dot, 0.1, 0.4) for x, y, r in spots),
    ]


def _rocket(rng: Rng) -> list[ToyPart]:
    hull, fins = _two(rng)
    wide = rng.uniform(0.32, 0.42)
    parts = [
        ToyPart(ellipse(0, 0.74, 0.2, 0.28), ORANGE, 0.2, 0.0),
        ToyPart(ellipse(0, 0.7, 0.1, 0.18), YELLOW, 0.1, 0.0),
    ]
    for side in (-1, 1):
        corners = [(side * 0.24, 0.08), (side * 0.78, 0.66), (side * 0.72, 0.84), (side * 0.22, 0.58)]
        parts.append(ToyPart(polygon(corners, 0.03), fins, 0.1, 0.6))
    body = cut(ellipse(0, 0.05, wide, 1.0), box(0, 1.1, 1, 0.46))
    nose = cut(ellipse(0, 0.05, wide, 1.0), box(0, 0.6, 1, 1.1))
    parts += [ToyPart(body, hull, wide, 0.9), ToyPart(nose, fins, wide * 0.7, 0.9)]
    parts += [
        ToyPart(ellipse(0, -0.12, 0.2, 0.2), SILVER, 0.06, 0.8),
        ToyPart(ellipse(0, -0.12, 0.14, 0.14), GLASS, 0.12, 1.0),
    ]
    return [*parts, ToyPart(box(0, 0.44, wide * 0.9, 0.06), fins, 0.06, 0.6)]


def _tree(rng: Rng) -> list[ToyPart]:
    leaves = _choose(rng, (GREEN, GREEN, (40, 120, 70), (150, 170, 50), ORANGE))
    parts = [ToyPart(box(0, 0.68, 0.13, 0.32), BROWN, 0.12, 0.1)]
    if rng.below(2):
        for y, width in ((0.5, 0.78), (0.12, 0.62), (-0.26, 0.44)):
            parts.append(ToyPart(polygon([(0, y - 0.66), (width, y), (-width, y)], 0.04), leaves, 0.3, 0.2))
        return parts
    crowns = ((-0.38, 0.02, 0.42), (0.4, 0.04, 0.4), (0.02, -0.42, 0.5), (0.02, 0.06, 0.44))
    return parts + [ToyPart(ellipse(x, y, r, r), leaves, r, 0.2) for x, y, r in crowns]


TOYS = {
    "apple": _apple,
    "bear": _bear,
    "boat": _boat,
    "butterfly": _butterfly,
    "car": _car,
    "cup": _cup,
    "fish": _fish,
    "flower": _flower,
    "house": _house,
    "mushroom": _mushroom,
    "rocket": _rocket,
    "tree": _tree,
}
"""By class name: draws a toy's parts."""
CLASSES = tuple(TOYS)
"""Names of the classes in the order of the network's output."""
FLYING = ("butterfly", "rocket")
"""Toys that hang in the air."""
