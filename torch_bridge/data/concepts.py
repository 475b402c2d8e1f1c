"""The shipped set: pictures that a program draws, those of the validation split."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .. import concepts
from ..errors import InputError
from .base import DataSet

COUNT = 2000
"""As many as are shown; the program would draw more."""


class ConceptsData(DataSet):
    """(64, 64) RGB, drawn when asked for: task "object" or "pair"."""

    def __init__(self, task: str, name: str = "") -> None:
        """Raises InputError for a task that isn't there."""
        if task not in concepts.TASKS:
            known = " or ".join(f"concepts:{one}" for one in concepts.TASKS)
            raise InputError(f"data set concepts:{task}: no such task; write {known}")
        self._task, classes = task, concepts.class_names(task)
        super().__init__(name or f"concepts {task}", classes, np.arange(COUNT) % len(classes))

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(concepts.picture(index, task=self._task))
