"""Contact sheets: many pictures, or pictures beside their maps, as one picture.

python -m innerwalk.torch_bridge.concepts.make_sheet docs/concepts.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .dataset import Sample, batch
from .vocabulary import CATEGORIES, CONCEPTS, PAINTS

GAP = 2
LIGHT = 250
HUES = np.concatenate([[(24, 24, 28)], PAINTS[[7, 4, 6, 3, 5, 8, 9, 10]]])
"""Colours of the indices in every map but the colour map, which shows its own paints; 0 is dark."""


def contact_sheet(samples: Sequence[Sample], columns: int = 12) -> np.ndarray:
    """(H, W, 3) uint8: the pictures row by row; the last row may be cut short by missing ones."""
    return _tile([one.image for one in samples], columns)


def map_sheet(samples: Sequence[Sample]) -> np.ndarray:
    """(H, W, 3) uint8: a row for each picture, with its six maps beside it in the order of the categories."""
    rows = [[one.image, *(_coloured(one.maps[k], k) for k in range(len(CATEGORIES)))] for one in samples]
    return _tile([tile for row in rows for tile in row], 1 + len(CATEGORIES))


def _coloured(indices: np.ndarray, category: int) -> np.ndarray:
    paints = np.concatenate([HUES[:1], PAINTS]) if CATEGORIES[category] == "colour" else HUES
    return paints[: len(CONCEPTS[CATEGORIES[category]]) + 1][indices].astype(np.uint8)


def _tile(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    size = len(tiles[0])
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (size + GAP) - GAP, columns * (size + GAP) - GAP, 3), LIGHT, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (number // columns) * (size + GAP), (number % columns) * (size + GAP)
        sheet[y : y + size, x : x + size] = tile
    return sheet


def main(target: Path) -> None:
    """Write the sheet of the documentation: 36 pictures of task "object", then four of "pair" with their maps."""
    from PIL import Image

    pictures = contact_sheet(batch(0, 1, 0, 36, task="object"))
    maps = [map_sheet(batch(0, 1, start, 2, size=54)) for start in (0, 14)]
    beside = np.full((maps[0].shape[0], pictures.shape[1], 3), LIGHT, np.uint8)
    beside[:, : maps[0].shape[1]], beside[:, -maps[1].shape[1] :] = maps
    rule = np.full((3 * GAP, pictures.shape[1], 3), LIGHT, np.uint8)
    sheet = Image.fromarray(np.concatenate([pictures, rule, beside]))
    sheet.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
