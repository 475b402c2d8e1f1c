"""Pictures, masks, flow, volumes and spectrograms as pixels."""

from __future__ import annotations

import numpy as np

from ..capture.values.thumbnail import heat_map, to_unit_range
from ..predictions.masks import palette
from .content import Content, thin

MAX_SIDE = 512
"""Pixels a side of what is drawn here; pictures that a user names keep their size."""
MAX_SLICES, MAX_SLICE_SIDE = 64, 128
"""Slices of a volume, and pixels a side of each."""
MAX_MASKS = 16
"""Masks of one tensor."""
BINS = (40, 64, 80, 96, 128, 160, 201, 257, 513, 1025)
"""Usual numbers of frequencies in a spectrogram."""
PROBABILITY_THRESHOLD = 0.5
"""Above this a pixel belongs to a mask of values 0..1; masks of logits have 0."""


def to_pictures(planes: np.ndarray) -> np.ndarray:
    """Turns grey planes 0..1, (n, H, W), into pictures, (n, H, W, 3) uint8."""
    grey = np.round(planes * 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))


def make_picture(planes: np.ndarray) -> Content:
    """Draws a picture of values (1 | 3 | 4, H, W) or (H, W), from the smallest value to the largest."""
    planes = thin(planes.reshape(-1, *planes.shape[-2:])[:3], (MAX_SIDE, MAX_SIDE))
    colours = to_unit_range(np.broadcast_to(planes, (3, *planes.shape[1:])))
    return Content("picture", pixels=np.round(colours.transpose(1, 2, 0) * 255).astype(np.uint8)[None])


def make_masks(values: np.ndarray) -> Content:
    """Draws masks (..., H, W) or (L,), white inside: where values are true, or above 0.5 (0..1), or above 0."""
    planes = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values.reshape(1, 1, -1)
    planes = np.nan_to_num(thin(planes, (MAX_SIDE, MAX_SIDE)).astype(np.float64))
    is_share = planes.size and planes.min() >= 0 and planes.max() <= 1
    inside = planes > (PROBABILITY_THRESHOLD if is_share else 0)
    note = f"first {MAX_MASKS} of {len(planes)} masks" if len(planes) > MAX_MASKS else ""
    return Content("mask", pixels=to_pictures(inside[:MAX_MASKS].astype(np.float64)), note=note)


def make_flow(field: np.ndarray) -> Content:
    """Draws a field of vectors (2, H, W) in pixels: hue is the direction, white none, full colour the longest.

    As in Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", but with the plain circle of
    hues: red points to the right, the y axis down.
    """
    x, y = np.nan_to_num(thin(field, (MAX_SIDE, MAX_SIDE)).astype(np.float64))
    length = np.hypot(x, y)
    longest = float(length.max())
    turn = 6 * ((np.arctan2(y, x) / (2 * np.pi)) % 1)
    full = np.clip(np.stack([np.abs(turn - 3) - 1, 2 - np.abs(turn - 2), 2 - np.abs(turn - 4)], -1), 0, 1)
    share = (length / max(longest, 1e-12))[..., None]
    pixels = np.round((1 - share * (1 - full)) * 255).astype(np.uint8)
    return Content("flow", np.array([[longest]], np.float32), pixels[None], note=f"longest {longest:.3g} pixels")


def make_volume(values: np.ndarray) -> Content:
    """Draws the slices of a volume (D, H, W), or of the mean of its channels (C, D, H, W), from the smallest value on.

    Three channels become colours.
    """
    values = values.reshape(-1, *values.shape[-3:])
    values = thin(values, (MAX_SLICES, MAX_SLICE_SIDE, MAX_SLICE_SIDE)).astype(np.float64)
    if len(values) == 3:
        return Content("volume", pixels=np.round(to_unit_range(values).transpose(1, 2, 3, 0) * 255).astype(np.uint8))
    return Content("volume", pixels=to_pictures(to_unit_range(values.mean(0))))


def make_class_volume(scores: np.ndarray) -> Content:
    """Draws the slices of a volume of class scores (K, D, H, W): each voxel in its class's colour, the first black."""
    scores = thin(scores, (MAX_SLICES, MAX_SLICE_SIDE, MAX_SLICE_SIDE))
    colours = np.concatenate([np.zeros((1, 3)), palette(len(scores) - 1)])
    pixels = np.round(colours * 255).astype(np.uint8)[np.nan_to_num(scores).argmax(0)]
    return Content("volume", pixels=pixels, note=f"the class of each voxel, of {len(scores)}")


def make_spectrogram(values: np.ndarray) -> Content:
    """Draws a spectrogram ([1,] bins, time) as heat: the first bins, low frequencies, below; time to the right.

    If only the last axis has a usual number of bins, time is the first one.
    """
    plane = values.reshape(-1, *values.shape[-2:])[0]
    is_turned = plane.shape[1] in BINS and plane.shape[0] not in BINS
    plane = thin(plane.T if is_turned else plane, (MAX_SIDE, 2 * MAX_SIDE))
    note = "time taken from the first axis" if is_turned else ""
    return Content("spectrogram", pixels=heat_map(plane[::-1])[None], note=note)
