"""The `toybox` pictures as a data set: images that a program draws, by default those of the validation split."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .. import toybox
from ..recording.errors import InputError
from .base import DataSet

COUNTS = {"validation": 1200, "test": 1200, "train": 5000}
"""Sizes of the splits; the program could draw any number."""


class ToyboxData(DataSet):
    """Images of 128 × 128 pixels, RGB, drawn on access; the class is the largest toy."""

    def __init__(self, split: str = "", name: str = "") -> None:
        """split: validation, test or train. Raises InputError if unknown."""
        split = split or "validation"
        if split not in COUNTS:
            raise InputError(f"data set toybox:{split}: no such split; write toybox, toybox:test or toybox:train")
        self._split = toybox.SPLITS[split]
        title = "toybox" if split == "validation" else f"toybox {split}"
        super().__init__(name or title, toybox.CLASSES, np.arange(COUNTS[split]) % len(toybox.CLASSES))

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(toybox.picture(index, self._split))
