"""Pictures drawn from codes: every choice of the painter of `concepts` is read from numbers, so its labels are exact.

A code is a vector of normal numbers. Where the painter chooses among n things, n numbers bid and the largest wins;
where it needs a number of a range, the code's number is turned into one that is uniform there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..concepts.dataset import SIZE, LabelledCanvas, ObjectPlace
from ..concepts.seeded_random import Rng
from ..concepts.vocabulary import CATEGORIES, CONCEPTS, MAIN_OBJECTS

SCENES = (0, 1, 3)
"""Sky, hills and waves, as positions among the scenes."""
PAINTS_OF_OBJECTS = (1, 3, 4, 5, 9)
"""White, red, orange, yellow and pink, as positions among the paints."""
PAINTS_OF_GROUNDS = (0, 6, 7, 8, 10)
"""Black, green, blue, purple and brown."""
CHOICES = {"object": MAIN_OBJECTS + 1, "scene": len(SCENES), "paint": len(PAINTS_OF_OBJECTS), "ground": 5}
"""Numbers that bid, by what they choose. The last bid for an object is that for none."""
RANGES = {"x": (0.3, 0.7), "y": (0.3, 0.7), "radius": (0.2, 0.3), "angle": (-0.4, 0.4)}
"""Lowest and highest value by name: centre and radius in sides of the picture, angle in radians."""
SCENE_NUMBERS = 4
"""Numbers that form a background, such as the phases of its waves."""
CODE_LENGTH = sum(CHOICES.values()) + len(RANGES) + SCENE_NUMBERS
CONCEPT_NAMES = (*(CONCEPTS["scene"][k] for k in SCENES), *CONCEPTS["object"][:MAIN_OBJECTS])
"""What a pixel of these pictures can show: one of the scenes, or one of the objects."""


class CodedPicture(NamedTuple):
    """A picture that was drawn from a code, with its exact labels."""

    image: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""
    shown: np.ndarray
    """(H, W) uint8: position among CONCEPT_NAMES of what each pixel shows."""
    maps: np.ndarray
    """(6, H, W) uint8 indices in each category of `concepts`; 0 is none."""


class CodedNumbers(Rng):
    """Reads the painter's random numbers from a list instead of drawing them."""

    def __init__(self, numbers: np.ndarray) -> None:
        """numbers: (n,) float64 in 0..1, read once each from the first."""
        self._numbers = list(numbers)

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """Returns the next number, or the next `size` numbers as float64 (size,), scaled from 0..1 to low..high."""
        if size is not None:
            return np.array([self.uniform(low, high) for _ in range(size)])
        return low + (high - low) * self._numbers.pop(0)


def draw_code(seed: int, split: int, index: int) -> np.ndarray:
    """Returns the code of a picture of a split, (CODE_LENGTH,) float32, normal numbers that the key determines."""
    uniform = Rng(seed, split, index).uniform(size=(2, CODE_LENGTH))
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[0])), 2 * np.pi * uniform[1]  # Box and Muller 1958
    return (radius * np.cos(angle)).astype(np.float32)


def paint_code(code: np.ndarray, size: int = SIZE) -> CodedPicture:
    """Paints the picture of a code (CODE_LENGTH,), `size` x `size` pixels."""
    bids, start = {}, 0
    for name, count in CHOICES.items():
        bids[name], start = code[start : start + count], start + count
    uniform = np.array([0.5 + 0.5 * math.erf(value / math.sqrt(2)) for value in code[start:]])
    place = {
        name: low + (high - low) * number for (name, (low, high)), number in zip(RANGES.items(), uniform, strict=False)
    }
    canvas, kind = LabelledCanvas(size), int(bids["object"].argmax())
    grounds = [PAINTS_OF_GROUNDS[k] for k in np.argsort(-bids["ground"], kind="stable")[:2]]
    scene = int(bids["scene"].argmax())
    canvas.paint_background(CodedNumbers(uniform[len(RANGES) :]), SCENES[scene], *grounds)
    if kind < MAIN_OBJECTS:
        paint = PAINTS_OF_OBJECTS[int(bids["paint"].argmax())]
        canvas.paint_flat_object(ObjectPlace(kind, place["radius"], place["x"], place["y"]), place["angle"], paint)
    objects = canvas.maps[CATEGORIES.index("object")].astype(int)
    shown = np.where(objects > 0, len(SCENES) - 1 + objects, scene).astype(np.uint8)
    return CodedPicture(np.rint(canvas.image).astype(np.uint8), shown, canvas.maps)
