"""Data sets whose pixels are labelled with concepts: the base class, and labels that get a picture's preprocessing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..inputs.preprocess import Preprocessing, fit_picture
from ..recording.errors import InputError
from .base import DataSet

MAX_CONCEPTS = 20_000
"""Concepts of one data set; Broden has 1,197."""
MAX_CATEGORIES, MAX_WHOLE = 64, 256
"""Categories of one data set, and labels of one whole picture."""
MAX_CONCEPT_NAME = 200
"""Characters of a concept's name, which labels, tables and terminals show in one line."""


class Concept(NamedTuple):
    """Something that pixels show."""

    name: str
    category: str


class PixelLabels(NamedTuple):
    """What a picture's pixels show: numbers of concepts, 0 for none."""

    maps: np.ndarray
    """(G, H, W) int32: a pixel has up to G labels."""
    whole: np.ndarray
    """(n,) int32: labels of the whole picture."""


class LabelledData(DataSet):
    """Pictures with labels of pixels."""

    concept_table: tuple[Concept, ...] = ()
    """Concept number k is at place k - 1."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories, in the order in which concepts mention them."""
        return tuple(dict.fromkeys(concept.category for concept in self.concept_table))

    def category_numbers(self) -> np.ndarray:
        """Returns (L + 1,) int64: each label's category, counted from 1; 0 for label 0."""
        places = {name: place for place, name in enumerate(self.categories, 1)}
        return np.array([0, *(places[concept.category] for concept in self.concept_table)])

    def state(self, index: int) -> str:
        """Returns what changes when someone edits a picture or its labels, as far as that is cheap to see."""
        return self.title(index)

    @abstractmethod
    def pixel_labels(self, index: int) -> PixelLabels:
        """Returns the labels of a picture, in its own size or a smaller one. Raises InputError."""

    def failure(self, index: int) -> str:
        """Returns why a picture or its labels can't be read, or that they can."""
        try:
            self.picture(index)
            self.pixel_labels(index)
        except InputError as error:
            return str(error)
        return f"{self.title(index)} can be read now; name a new folder"

    def checked_labels(self, labels: PixelLabels, where: str) -> PixelLabels:
        """Returns labels whose numbers are all in the table. Raises InputError that names `where` for others.

        Also for more than MAX_WHOLE of the whole picture.
        """
        if len(labels.whole) > MAX_WHOLE:
            raise InputError(f"{where}: {len(labels.whole):,} of the whole picture; at most {MAX_WHOLE}")
        for part in labels:
            if part.size and not 0 <= part.min() <= part.max() <= len(self.concept_table):
                raise InputError(
                    f"{where}: label {part.max()} isn't in the table, which ends at {len(self.concept_table)}"
                )
        return labels


def check_concepts(concepts: Sequence[Concept], where: str) -> tuple[Concept, ...]:
    """Returns a concept table with names of one printable line, of MAX_CATEGORIES at most.

    Raises InputError that names `where`.
    """
    if not concepts or len(concepts) > MAX_CONCEPTS:
        raise InputError(f"{where}: {len(concepts):,} concepts; 1 to {MAX_CONCEPTS:,} are needed")
    if wrong := next((k for k, concept in enumerate(concepts, 1) if not all(concept)), 0):
        raise InputError(f"{where}: concept {wrong} has no name or no category")
    for k, (name, category) in enumerate(concepts, 1):
        if unprintable := next((text for text in (name, category) if not text.isprintable()), ""):
            raise InputError(f"{where}: concept {k} {unprintable[:80]!r} has characters that can't be printed")
        if len(name) > MAX_CONCEPT_NAME:
            raise InputError(f"{where}: concept {k} has {len(name):,} characters; at most {MAX_CONCEPT_NAME}")
    if (count := len({concept.category for concept in concepts})) > MAX_CATEGORIES:
        raise InputError(f"{where}: {count:,} categories; at most {MAX_CATEGORIES}")
    return tuple(concepts)


def fit_labels(maps: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Returns (G, H, W) int32 labels resized and cropped as pictures are for the network, without mixing labels."""
    nearest = replace(preprocessing, interpolation="nearest", channels=1)
    images = (Image.fromarray(labels.astype(np.float32)) for labels in maps)
    return np.array([np.asarray(fit_picture(image, nearest)) for image in images]).astype(np.int32)
