"""Draws heat maps over the picture, side by side in rows with captions, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..inputs.preprocess import denormalise
from ..method_support.method import MethodContext
from ..method_support.picture_maps import picture_maps
from ..recording import Maps

TILE, GAP, LINE, TEXT = 160, 6, 16, 12
"""Side of a tile, distance between tiles, height of a line of text and size of the text, pixels."""
PAPER, INK, MARKED = (16, 17, 20), (222, 222, 222), (255, 120, 92)
"""sRGB 0..255: background, text, and text that is marked."""
WARM, COLD = (1.0, 0.44, 0.22), (0.25, 0.50, 1.0)
"""sRGB 0..1: heat above and below zero."""
PANEL_ASPECT = 1.6
"""Width to height of the panels of classes, which a sheet should fill."""
DIM, PEAK_QUANTILE = 0.5, 0.995
"""Brightness of the picture beneath the heat; quantile of absolute values that is drawn in full."""
INSERTION, DELETION = (110, 210, 130), (230, 120, 110)
"""sRGB 0..255: colours of the curves."""


class HeatTile(NamedTuple):
    """A picture with its caption."""

    pixels: np.ndarray
    """(TILE, TILE, 3) uint8 sRGB."""
    caption: tuple[str, ...]
    """Lines below it."""
    marked: bool = False
    """Whether the caption stands out."""


def draw_heat(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Draws heat over a dimmed grey picture: opacity by size, warm above zero, blue below.

    picture: (H, W, 3) sRGB 0..1. heat: (H, W). Returns (TILE, TILE, 3) uint8 sRGB.
    """
    peak = max(float(np.quantile(np.abs(heat), PEAK_QUANTILE)), 1e-30)
    if not (np.abs(heat) >= peak).any() or peak <= 1e-30:
        peak = max(float(np.abs(heat).max()), 1e-30)
    shares = np.clip(heat / peak, -1, 1)[..., None]
    grey = picture.mean(-1, keepdims=True) * DIM
    opacity = np.abs(shares)
    colour = np.where(shares > 0, np.array(WARM), np.array(COLD))
    colour = colour + (1 - colour) * np.maximum(opacity - 0.75, 0) * 2  # the strongest values are nearly white
    return to_tile(grey * (1 - opacity) + colour * opacity)


def to_tile(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) sRGB 0..1 -> (TILE, TILE, 3) uint8."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(image.resize((TILE, TILE), Image.Resampling.BILINEAR))


def draw_curves(insertion: np.ndarray, deletion: np.ndarray) -> np.ndarray:
    """(n,) probabilities 0..1 while pixels are inserted and deleted -> (TILE, TILE, 3) uint8: both curves, filled."""
    canvas = Image.new("RGB", (TILE, TILE), PAPER)
    for curve, colour in ((insertion, INSERTION), (deletion, DELETION)):
        across = np.linspace(0, TILE - 1, len(curve))
        line = [(float(x), (TILE - 1) * (1 - float(y))) for x, y in zip(across, curve, strict=True)]
        filled = Image.new("RGB", canvas.size, colour)
        area = Image.new("L", canvas.size, 0)
        ImageDraw.Draw(area).polygon([(0, TILE), *line, (TILE - 1, TILE)], fill=70)
        canvas.paste(filled, (0, 0), area)
        ImageDraw.Draw(canvas).line(line, fill=colour, width=2)
    return np.asarray(canvas)


def arrange_tiles(groups: Sequence[Sequence[HeatTile]]) -> list[list[HeatTile]]:
    """Returns rows of tiles, so many of the equally long groups in each row that they fill a panel best."""
    group, count = len(groups[0]), len(groups)
    down = TILE + LINE * max(len(tile.caption) for tile in groups[0]) + GAP

    def covered(columns: int) -> float:
        rows = -(-count // columns)
        aspect = columns * group * (TILE + GAP) / (rows * down)
        return min(aspect / PANEL_ASPECT, PANEL_ASPECT / aspect) * count / (rows * columns)

    columns = max(range(1, count + 1), key=covered)
    return [[tile for each in groups[first : first + columns] for tile in each] for first in range(0, count, columns)]


def fitted_text(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """Returns a text, without its middle where it is wider than so many pixels: names of files differ at their ends."""
    for kept in range(len(text), 1, -1):
        cut = text if kept == len(text) else f"{text[: kept - kept // 2]}…{text[-(kept // 2) :]}"
        if font.getlength(cut) <= width:
            return cut
    return text[:1]


def draw_sheet(rows: Sequence[Sequence[HeatTile]], text: int = TEXT) -> np.ndarray:
    """Draws rows of tiles with their captions below -> (H, W, 3) float32 sRGB 0..1. text: size of these, pixels."""
    line = LINE * text // TEXT
    lines = [max(len(tile.caption) for tile in row) for row in rows]
    heights = [TILE + line * count + GAP for count in lines]
    width = max(len(row) for row in rows) * (TILE + GAP) + GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP), PAPER)
    pen, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(text), GAP
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            left = GAP + column * (TILE + GAP)
            sheet.paste(Image.fromarray(tile.pixels), (left, top))
            for number, caption in enumerate(tile.caption):
                place = left + 2, top + TILE + line * number + line // 2
                pen.text(place, fitted_text(caption, font, TILE), MARKED if tile.marked else INK, font, anchor="lm")
        top += height
    return np.asarray(sheet, np.float32) / 255


def drawn_picture(context: MethodContext) -> np.ndarray:
    """Returns the current picture as (H, W, 3) sRGB 0..1."""
    picture = denormalise(context.picture[0].float().cpu().numpy(), context.preprocessing)
    return np.broadcast_to(picture[:3] if len(picture) >= 3 else picture[:1], (3, *picture.shape[1:])).transpose(
        1, 2, 0
    )


def sheet_maps(
    layer: str, method: str, sheet: np.ndarray, label: str, extras: Mapping[str, np.ndarray], note: str = ""
) -> Maps:
    """Returns a sheet, (H, W, 3) sRGB 0..1, as the only map of a layer."""
    return replace(picture_maps(layer, method, {0: sheet}, 1), frame="layer", labels=(label,), extras=extras, note=note)
