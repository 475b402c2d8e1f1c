"""Masks as images: easily distinguished colours, blended over the input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LIGHTNESSES = (0.55, 0.65, 0.75, 0.85)
HUES = 72
CHROMA = 0.16
OPACITY = 0.62
"""Opacity of the mask over the image."""
BACKGROUND = ("__background__", "background")
OKLAB_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def palette(count: int) -> np.ndarray:
    """Returns (count, 3) float64 sRGB 0..1: bright colours, each as far in OKLab from those before it as possible.

    OKLab: B. Ottosson, "A perceptual color space for image processing" (2020).
    """
    lightness, hue = (axis.ravel() for axis in np.meshgrid(LIGHTNESSES, np.arange(HUES) * 2 * np.pi / HUES))
    chroma = _chroma_in_srgb(lightness, hue)
    lab = _lab(lightness, chroma, hue)
    chosen, distance = [], np.full(len(lab), np.inf)
    for _ in range(count):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
    linear = np.clip(_linear(lab[chosen]), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _chroma_in_srgb(lightness: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """(n,) chroma: CHROMA, or less where that is outside of sRGB."""
    chroma = np.full(lightness.size, CHROMA)
    for _ in range(24):
        linear = _linear(_lab(lightness, chroma, hue))
        chroma = np.where(((linear < 0) | (linear > 1)).any(1), chroma * 0.93, chroma)
    return chroma


def _lab(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """(n,) lightness, chroma and hue in radians -> (n, 3) OKLab."""
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], 1)


def _linear(lab: np.ndarray) -> np.ndarray:
    """(n, 3) OKLab -> (n, 3) linear sRGB, not clipped."""
    return (lab @ OKLAB_TO_LMS.T) ** 3 @ LMS_TO_RGB.T


def blend_mask(picture: np.ndarray, classes: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Colour an image by the classes of its pixels; the background becomes dark grey. Returns (H, W, 3) uint8 sRGB.

    picture: (H, W, 3) uint8 sRGB. classes: (H, W) int, indices into the names.
    """
    grey = np.repeat(picture.astype(np.float64).mean(2, keepdims=True) / 255, 3, 2)
    colours = palette(len(names))[classes]
    opacity = np.array([0.0 if name.lower() in BACKGROUND else OPACITY for name in names])[classes][..., None]
    blended = grey * np.where(opacity > 0, 1.0, 0.55) * (1 - opacity) + colours * opacity
    return (blended * 255 + 0.5).astype(np.uint8)


def class_shares(classes: np.ndarray, names: Sequence[str], most: int) -> tuple[tuple[int, str, float], ...]:
    """(index, name, share of the image) of the classes in a mask, (H, W) int, largest first, at most `most`."""
    counts = np.bincount(classes.ravel(), minlength=len(names))
    order = [int(index) for index in np.argsort(-counts, kind="stable")[:most] if counts[index]]
    return tuple((index, names[index], float(counts[index] / classes.size)) for index in order)
