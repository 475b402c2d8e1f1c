"""The base class of data sets: images by index, each with a title and, where known, a class."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from PIL import Image

from ..predictions.boxes import Box
from ..recording.errors import InputError


class DataSet(ABC):
    """Images by index. Subclasses read them; checks and labels are here."""

    name: str
    classes: tuple[str, ...]
    """Names of the classes; () if the data set has no labels."""
    labels: np.ndarray
    """(n,) int32: index into the classes, -1 for no class."""

    def __init__(self, name: str, classes: tuple[str, ...], labels: np.ndarray) -> None:
        self.name, self.classes, self.labels = name, classes, labels.astype(np.int32)

    def __len__(self) -> int:
        return len(self.labels)

    def picture(self, index: int, near: int = 0) -> Image.Image:
        """One image as `open_picture` returns it, upright, sRGB, with its argument `near`. Raises InputError."""
        return self._picture(self._checked(index), near)

    def label(self, index: int) -> int:
        """Index into the classes, -1 for none. Raises InputError."""
        return int(self.labels[self._checked(index)])

    def title(self, index: int) -> str:
        """The title of an image: its file name, or the data set's name and the index. Raises InputError."""
        return self._title(self._checked(index))

    def boxes(self, index: int) -> tuple[tuple[int, Box], ...]:
        """The true boxes of an image, each with an index into the classes; () if none are known. Raises InputError."""
        return self._boxes(self._checked(index))

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise InputError(f"data set {self.name}: there is no picture {index}; they are 0 to {len(self) - 1}")
        return index

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names of what `shows` knows of its images: the classes, and labels of pixels where there are any."""
        return self.classes

    def shows(self, index: int, concept: str) -> bool | None:
        """Whether an image shows one of `concepts`; None if too little of it to say so. Raises InputError."""
        label = self.label(index)
        return label >= 0 and self.classes[label] == concept

    @abstractmethod
    def _picture(self, index: int, near: int) -> Image.Image: ...

    def _boxes(self, index: int) -> tuple[tuple[int, Box], ...]:
        return ()

    def _title(self, index: int) -> str:
        return f"{self.name} {index}"
