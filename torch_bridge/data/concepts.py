"""The shipped data set: images that a program draws, by default those of the validation split."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from .. import concepts
from ..concepts import Sample
from ..predictions.boxes import Box
from ..recording.errors import InputError
from .labelled import Concept, LabelledData, PixelLabels

SHOWN_SHARE = 0.02
"""Share of a picture's pixels with a label from which on the picture shows it."""
COUNTS = {"validation": 2000, "test": 2000, "train": 6000}
"""Sizes of the splits; the program could draw any number."""
KEPT = 128
"""Drawn samples that are kept, of 50 kB each."""
SHAPES = "shapes"
"""Name of the plain pictures of the task "object", `concepts.shape_sample`, beside those of the tasks."""


class ConceptsData(LabelledData):
    """Images of 64 × 64 pixels, RGB, drawn on access."""

    concept_table = tuple(Concept(name, category) for category, name in concepts.ALL_CONCEPTS)

    def __init__(self, text: str, name: str = "") -> None:
        """text: a task or "shapes", with or without a split: "object", "object:train". Raises InputError if unknown."""
        task, _, split = text.partition(":")
        split, tasks = split or "validation", (*concepts.TASKS, SHAPES)
        if task not in tasks or split not in COUNTS:
            known = " or ".join(f"concepts:{known_task}" for known_task in tasks)
            raise InputError(f"data set concepts:{text}: no such task; write {known}, or concepts:object:train")
        self._task, self._split = task, concepts.SPLITS[split]
        self._sample = lru_cache(KEPT)(self._draw)  # labels are asked for soon after the picture
        classes = concepts.class_names("object" if task == SHAPES else task)
        super().__init__(
            name or f"concepts {' '.join(text.split(':'))}", classes, np.arange(COUNTS[split]) % len(classes)
        )

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names of the classes and of the labels in all six categories."""
        return tuple(dict.fromkeys([*self.classes, *(name for _, name in concepts.ALL_CONCEPTS)]))

    def shows(self, index: int, concept: str) -> bool | None:
        """Whether an image shows a class or a label; None if less than SHOWN_SHARE. Raises InputError."""
        if concept in self.classes:
            return super().shows(index, concept)
        maps = self._sample(self._checked(index)).global_maps()
        number = [name for _, name in concepts.ALL_CONCEPTS].index(concept) + 1
        share = float((maps == number).any(0).mean())
        return None if 0 < share < SHOWN_SHARE else share > 0

    def pixel_labels(self, index: int) -> PixelLabels:
        """Returns the labels of a picture in all six categories, (6, 64, 64). Raises InputError."""
        return PixelLabels(self._sample(self._checked(index)).global_maps().astype(np.int32), np.zeros(0, np.int32))

    def _boxes(self, index: int) -> tuple[tuple[int, Box], ...]:
        """The box of the main object, the only one whose class the network knows; none for task "pair"."""
        if self._task == "pair":
            return ()
        sample = self._sample(index)
        x0, y0, x1, y1 = (end / concepts.SIZE for end in sample.boxes[0][1:])
        return ((sample.label, Box(x0, y0, x1, y1)),)

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(self._sample(index).image)

    def _draw(self, index: int) -> Sample:
        if self._task == SHAPES:
            return concepts.shape_sample(0, self._split, index)
        return concepts.sample(0, self._split, index, task=self._task)
