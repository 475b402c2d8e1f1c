"""Draws boxes into pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..predictions.boxes import Box

MIN_SIDE = 128
"""Least side of a drawn picture in pixels; smaller ones are enlarged by a whole factor."""
TRUE_COLOUR, FOUND_COLOUR = (40, 220, 90), (255, 60, 60)
"""sRGB 0..255 of true boxes and of boxes that were found."""


def draw_boxes(picture: Image.Image, boxes: Sequence[tuple[Box | None, tuple[int, int, int]]]) -> np.ndarray:
    """Returns a picture with boxes (shares of it) in colours (sRGB 0..255), as (H, W, 3) float32 sRGB 0..1."""
    factor = -(-MIN_SIDE // min(picture.size))
    size = picture.width * factor, picture.height * factor
    enlarged = picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(enlarged)
    for box, colour in boxes:
        if box is not None:
            ends = [end * side for end, side in zip(box, (*size, *size), strict=True)]
            pen.rectangle((ends[0], ends[1], ends[2] - 1, ends[3] - 1), outline=colour, width=max(1, min(size) // 96))
    return np.asarray(enlarged, np.float32) / 255
