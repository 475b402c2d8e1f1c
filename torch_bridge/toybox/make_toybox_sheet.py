"""Draws the contact sheet of the documentation.

python -m innerwalk.torch_bridge.toybox.make_toybox_sheet docs/toybox.webp
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from .pictures import SPLITS, sample

COLUMNS, ROWS, GAP, PAPER = 8, 3, 4, 250


def draw_sheet() -> np.ndarray:
    """Returns the first 24 pictures of the validation split row by row, (H, W, 3) uint8 sRGB."""
    images = [sample(0, SPLITS["validation"], index).image for index in range(COLUMNS * ROWS)]
    padded = [np.pad(image, ((0, GAP), (0, GAP), (0, 0)), constant_values=PAPER) for image in images]
    rows = [np.concatenate(padded[start : start + COLUMNS], 1) for start in range(0, len(padded), COLUMNS)]
    return np.concatenate(rows)[:-GAP, :-GAP]


def main(target: Path) -> None:
    """Writes the sheet as a WebP file."""
    from PIL import Image

    Image.fromarray(draw_sheet()).save(target, quality=88, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
