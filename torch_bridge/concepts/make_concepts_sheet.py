"""Draws contact sheets: pictures in a grid, or pictures beside their maps.

python -m innerwalk.torch_bridge.concepts.make_concepts_sheet docs/concepts.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .dataset import Sample, batch
from .vocabulary import CATEGORIES, CONCEPTS, PAINTS, SPLITS

GAP = 2
"""Pixels between tiles."""
PAPER = 250
"""Brightness of the sheet, 0..255."""
INDEX_COLOURS = np.concatenate([[(24, 24, 28)], PAINTS[[7, 4, 6, 3, 5, 8, 9, 10]]])
"""(9, 3) sRGB 0..255: colours of the indices in all maps but the colour map, which shows its own paints. 0 is dark."""


def contact_sheet(samples: Sequence[Sample], columns: int = 12) -> np.ndarray:
    """Returns the pictures row by row, (H, W, 3) uint8 sRGB; the last row may be incomplete."""
    return _tile([item.image for item in samples], columns)


def map_sheet(samples: Sequence[Sample]) -> np.ndarray:
    """Returns a row for each picture, with its six maps beside it in the order of CATEGORIES, (H, W, 3) uint8 sRGB."""
    rows = [[item.image, *(_colour(item.maps[k], k) for k in range(len(CATEGORIES)))] for item in samples]
    return _tile([tile for row in rows for tile in row], 1 + len(CATEGORIES))


def _colour(indices: np.ndarray, category: int) -> np.ndarray:
    colours = np.concatenate([INDEX_COLOURS[:1], PAINTS]) if CATEGORIES[category] == "colour" else INDEX_COLOURS
    return colours[: len(CONCEPTS[CATEGORIES[category]]) + 1][indices].astype(np.uint8)


def _tile(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    size = len(tiles[0])
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (size + GAP) - GAP, columns * (size + GAP) - GAP, 3), PAPER, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (number // columns) * (size + GAP), (number % columns) * (size + GAP)
        sheet[y : y + size, x : x + size] = tile
    return sheet


def main(target: Path) -> None:
    """Writes the sheet of the documentation: 36 pictures of task "object", and four of "pair" with their maps."""
    from PIL import Image

    validation = SPLITS["validation"]
    pictures = contact_sheet(batch(0, validation, 0, 36, task="object"))
    maps = [map_sheet(batch(0, validation, start, 2, size=54)) for start in (0, 14)]
    both_maps = np.full((maps[0].shape[0], pictures.shape[1], 3), PAPER, np.uint8)
    both_maps[:, : maps[0].shape[1]], both_maps[:, -maps[1].shape[1] :] = maps
    spacer = np.full((3 * GAP, pictures.shape[1], 3), PAPER, np.uint8)
    sheet = Image.fromarray(np.concatenate([pictures, spacer, both_maps]))
    sheet.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
