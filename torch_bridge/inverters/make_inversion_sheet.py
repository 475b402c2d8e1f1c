"""Draws the sheet of inversions in the documentation: what the layers of the default network still know of a picture.

python -m innerwalk.torch_bridge.inverters.make_inversion_sheet docs/inversion.png
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from .. import concepts
from ..server.in_process import ask
from .train import SHIPPED_LAYERS

TILE, GAP, MARGIN, HEADER = 128, 6, 120, 22
"""Side of a tile, gap between tiles, width of the row labels, and height of the column labels, in pixels."""
PAPER, INK = 250, 60
COLUMN_LABELS = ("the picture", "first layer", "stage 1", "stage 2", "stage 3", "classes")
INVERSIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "regularised": ("inversion", {}),
    "UpconvNet": ("upconvnet", {}),
    "… least half less": ("upconvnet", {"features": "drop_least"}),
    "… random half less": ("upconvnet", {"features": "dropout"}),
    "… signs alone": ("upconvnet", {"features": "binarise"}),
    "… top half less": ("upconvnet", {"features": "drop_top"}),
}
"""By row label: the method and its parameters."""
CLASS_ROW = "DGN-AM"


def draw_sheet(index: int) -> Image.Image:
    """Draws the sheet of a validation picture: a row for each inversion, a column for each layer.

    The last row shows a picture for each class, made by the shipped prior.
    """
    model, names = concepts.load("object")
    picture = concepts.picture(index)
    inputs = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    options: dict[str, Any] = {"layers": SHIPPED_LAYERS, "classes": names, "mean": [0.5] * 3, "std": [0.5] * 3}
    rows: dict[str, Sequence[np.ndarray]] = {}
    for label, (method, parameters) in INVERSIONS.items():
        maps = ask(model, inputs, method, **options, **parameters).all_maps
        rows[label] = [picture / 255, *(maps[layer, method].data[0] for layer in SHIPPED_LAYERS)]
    class_pictures = ask(model, inputs, "dgn_am", **options | {"layers": ["fc"]}).maps("fc", "dgn_am")
    rows[CLASS_ROW] = list(class_pictures.data)
    sheet = _draw_tiles(rows)
    _draw_labels(sheet, list(rows), names)
    return sheet


def _row_top(row: int, row_count: int) -> int:
    """Returns the y of a row's tiles in pixels; the last row has column labels of its own."""
    return HEADER + row * (TILE + GAP) + (HEADER if row == row_count - 1 else 0)


def _draw_tiles(rows: Mapping[str, Sequence[np.ndarray]]) -> Image.Image:
    """Draws rows of tiles (H, W, 3) sRGB 0..1."""
    width, height = MARGIN + len(COLUMN_LABELS) * (TILE + GAP), HEADER + len(rows) * (TILE + GAP) + HEADER
    sheet = Image.new("RGB", (width, height), (PAPER,) * 3)
    for row, tiles in enumerate(rows.values()):
        for column, tile in enumerate(tiles):
            picture = Image.fromarray((np.clip(tile, 0, 1) * 255 + 0.5).astype(np.uint8))
            position = MARGIN + column * (TILE + GAP), _row_top(row, len(rows))
            sheet.paste(picture.resize((TILE, TILE), Image.Resampling.NEAREST), position)
    return sheet


def _draw_labels(sheet: Image.Image, row_labels: Sequence[str], classes: Sequence[str]) -> None:
    draw, font, last = ImageDraw.Draw(sheet), ImageFont.load_default(), len(row_labels) - 1
    for row, label in enumerate(row_labels):
        middle = _row_top(row, len(row_labels)) + TILE // 2
        draw.text((MARGIN - GAP, middle), label, (INK,) * 3, font, anchor="rm")
    for labels, top in ((COLUMN_LABELS, 0), (classes, HEADER + last * (TILE + GAP))):
        for column, label in enumerate(labels):
            position = MARGIN + column * (TILE + GAP) + TILE // 2, top + HEADER // 2
            draw.text(position, label, (INK,) * 3, font, anchor="mm")


def main(target: Path) -> None:
    """Writes the sheet of the documentation."""
    torch.set_num_threads(1)
    sheet = draw_sheet(concepts.DEFAULT_INDEX)
    sheet.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
