"""Draws text, boxes and pictures over a frame's pixels, in sRGB; numpy only."""

from __future__ import annotations

import numpy as np

from ..imaging.colour_maps import srgb
from ..layout.text_fitting import Align
from ..pages.font import text_length
from ..pages.letters import text_coverage


class FrameCanvas:
    """A frame that is drawn over."""

    def __init__(self, pixels: np.ndarray) -> None:
        """pixels: (H, W, 4) uint8 sRGB with straight alpha, top row first; they are changed in place."""
        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]

    def text(
        self, text: str, x: float, y: float, size: float, colour: str, opacity: float = 1.0, align: Align = "left"
    ) -> None:
        """Draws a line of text whose base line begins, has its middle or ends at (x, y); pixels, y downwards."""
        coverage, base = text_coverage(text, size)
        left = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * text_length(text) * size
        self.blend(coverage * opacity, round(left), round(y) - base, srgb(colour))

    def box(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """Fills a rectangle; pixels at its edges are covered partly."""
        across, down = _cover(x, width), _cover(y, height)
        self.blend(np.outer(down, across) * opacity, int(np.floor(x)), int(np.floor(y)), srgb(colour))

    def picture(self, pixels: np.ndarray, x: int, y: int, opacity: float = 1.0) -> None:
        """Draws a picture, (h, w, 3) uint8 sRGB, in its own size."""
        self.blend(np.full(pixels.shape[:2], opacity), x, y, pixels / 255)

    def blend(self, opacity: np.ndarray, x: int, y: int, colour: np.ndarray) -> None:
        """Lays a colour, (3,) or (h, w, 3) sRGB 0..1, over the frame, as opaque as (h, w) 0..1; outside it is cut."""
        height, width = opacity.shape
        top, left = max(0, -y), max(0, -x)
        bottom, right = min(height, self.height - y), min(width, self.width - x)
        if top >= bottom or left >= right:
            return
        share = opacity[top:bottom, left:right, None]
        colour = colour if colour.ndim == 1 else colour[top:bottom, left:right]
        part = self.pixels[y + top : y + bottom, x + left : x + right]
        before = part / 255.0
        alpha = share + before[..., 3:] * (1 - share)
        mixed = (colour * share + before[..., :3] * before[..., 3:] * (1 - share)) / np.maximum(alpha, 1e-6)
        part[...] = np.rint(255 * np.concatenate([mixed, alpha], -1))


def _cover(start: float, size: float) -> np.ndarray:
    """Returns how much of each pixel a stretch covers, (n,) float 0..1, from the pixel in which it starts."""
    first, end = np.floor(start), start + size
    edges = np.arange(first, np.ceil(end) + 1)
    return np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, 1)
