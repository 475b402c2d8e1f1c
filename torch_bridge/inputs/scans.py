"""Scans: grey pictures and volumes of DICOM and NIfTI files, as the pictures or volumes that a network takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..recording.errors import InputError
from .image_files import MAX_PIXELS, deep_grey

MAX_VALUES = 1 << 27
"""Numbers of a scan: 512 slices of 512 × 512 pixels."""


@dataclass(frozen=True)
class Scan:
    """A scan, as it is in its file but for a linear scale."""

    values: np.ndarray
    """(D, H, W) float32, or (D, H, W, 3) uint8 sRGB; one slice has D = 1."""
    levels: tuple[float, float]
    """Values that are drawn black and white; the first is the larger one where large values are dark."""
    kind: str
    """What the file holds, for people."""
    turned: str = ""
    """What was done to the axes, for people."""
    plane: int = 0
    """Axis whose slices are the pictures of the scan."""

    @property
    def slices(self) -> int:
        """Number of pictures."""
        return int(self.values.shape[self.plane])

    def picture(self, index: int) -> tuple[Image.Image, str]:
        """Returns one slice as a picture of mode F or RGB, and a line on which one; 0 is the middle one.

        Slices along the last axis are turned by a quarter, so that the second axis points up. Raises InputError.
        """
        if not 0 <= index < self.slices:
            raise InputError(f"{self.kind}: {self.slices} slices, there is no index {index}")
        chosen = index or self.slices // 2
        plane = np.take(self.values, chosen, self.plane)
        if plane.shape[0] * plane.shape[1] > MAX_PIXELS:
            raise InputError(f"{self.kind}: a slice has more than {MAX_PIXELS:,} pixels")
        plane = np.ascontiguousarray(np.rot90(plane) if self.plane == 2 else plane)
        image = Image.fromarray(plane) if plane.dtype == np.uint8 else deep_grey(plane, self.levels, self.kind)
        which = f"slice {chosen} of {self.slices}{self.turned and f', {self.turned}'}" if self.slices > 1 else ""
        return image, which if image.mode == "F" else f"{self.kind}{which and f', {which}'}"

    def volume(self, shape: Sequence[int], window: tuple[float, float] | None) -> tuple[np.ndarray, str]:
        """Returns the values as a network takes them, without the batch, and a line on what was done.

        shape: of one sample, (C, D, H, W) with as many colours, or () for (D, H, W). window: values that become 0 and
        1, what lies beyond is cut; None for the values as they are. Raises InputError.
        """
        values = np.moveaxis(self.values, 3, 0) if self.values.ndim == 4 else self.values[None]
        if shape and shape[0] != len(values):
            raise InputError(
                f"{self.kind}: {len(values)} channels; the network takes {shape[0]}: give an array as .npy"
            )
        line = f"{self.kind}, volume {'×'.join(map(str, self.values.shape[:3]))}{self.turned and f', {self.turned}'}"
        if window:
            low, high = window if self.levels[0] <= self.levels[1] else window[::-1]
            values = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
            line += f", {low:g}..{high:g} as 0..1"
        elif values.dtype == np.uint8:
            values, line = values / np.float32(255), f"{line}, 0..255 as 0..1"
        values = values if shape or len(values) > 1 else values[0]
        return np.ascontiguousarray(values, np.float32), line


def check_sizes(sizes: Sequence[int]) -> None:
    """Raises InputError for a scan that has no number, or more than MAX_VALUES."""
    if min(sizes, default=0) < 1 or math.prod(sizes) > MAX_VALUES:
        shown = "×".join(map(str, sizes))[:60]
        raise InputError(f"{shown} numbers; 1 to {MAX_VALUES:,} are read")


def grey_levels(values: np.ndarray) -> tuple[float, float]:
    """Returns the least and the largest finite number of an array of any shape; (0, 0) if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
