"""A sheet of what networks look for, a row of tiles for each, as a PNG file: nothing of the pictures they saw."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TILE, GAP, MARGIN = 104, 4, 176
"""Pixels: height of a tile, between tiles, and the column of labels."""
PAPER, INK = (250, 250, 250), (40, 40, 40)
SheetTiles = tuple[str, np.ndarray]
"""A label, and tiles (n, h, w, 3) float32 sRGB 0..1."""


def draw_sheet(rows: Sequence[SheetTiles]) -> bytes:
    """Returns rows of tiles as a PNG file; each has a label and tiles (n, h, w, 3) sRGB 0..1."""
    widest = max(round(TILE * tiles.shape[2] / tiles.shape[1]) for _, tiles in rows)
    most = max(len(tiles) for _, tiles in rows)
    sheet = Image.new("RGB", (MARGIN + most * (widest + GAP), GAP + len(rows) * (TILE + GAP)), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for number, (label, tiles) in enumerate(rows):
        top = GAP + number * (TILE + GAP)
        pen.text((MARGIN - 3 * GAP, top + TILE // 2), label, INK, font, anchor="rm", align="right")
        how = Image.Resampling.NEAREST if tiles.shape[1] < TILE // 4 else Image.Resampling.BICUBIC
        for place, tile in enumerate(tiles):
            picture = Image.fromarray((np.clip(tile, 0, 1) * 255 + 0.5).astype(np.uint8))
            width = round(TILE * tile.shape[1] / tile.shape[0])
            left = MARGIN + place * (widest + GAP) + (widest - width) // 2
            sheet.paste(picture.resize((width, TILE), how), (left, top))
    file = io.BytesIO()
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(file, "PNG", optimize=True)
    return file.getvalue()
