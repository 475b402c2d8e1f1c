"""The shipped set: pictures that a program draws, those of the validation split if no other is named."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .. import concepts
from ..predictions.boxes import Box
from ..recording.errors import InputError
from .base import DataSet

COUNTS = {"validation": 2000, "test": 2000, "train": 6000}
"""As many as there are taken to be; the program would draw more."""


class ConceptsData(DataSet):
    """(64, 64) RGB, drawn when asked for: task "object" or "pair", and after a colon the split."""

    def __init__(self, text: str, name: str = "") -> None:
        """text: such as "object" or "object:train". Raises InputError for a task or split that isn't there."""
        task, _, split = text.partition(":")
        split = split or "validation"
        if task not in concepts.TASKS or split not in COUNTS:
            known = " or ".join(f"concepts:{one}" for one in concepts.TASKS)
            raise InputError(f"data set concepts:{text}: no such task; write {known}, or concepts:object:train")
        self._task, self._split, classes = task, concepts.SPLITS[split], concepts.class_names(task)
        super().__init__(
            name or f"concepts {' '.join(text.split(':'))}", classes, np.arange(COUNTS[split]) % len(classes)
        )

    def _boxes(self, index: int) -> tuple[tuple[int, Box], ...]:
        """Of task "object": the main object, the only one whose class is one of the network's."""
        if self._task != "object":
            return ()
        one = concepts.sample(0, self._split, index, task=self._task)
        x0, y0, x1, y1 = (end / concepts.SIZE for end in one.boxes[0][1:])
        return ((one.label, Box(x0, y0, x1, y1)),)

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(concepts.picture(index, self._split, self._task))
