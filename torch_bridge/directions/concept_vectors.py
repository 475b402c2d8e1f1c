"""Concept vectors of a layer: what they hold, how alike two concepts are, and sums and differences of concepts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.labelled import Concept
from ..dissection.findings import BAR
from ..recording.errors import InputError, nearest

SCORES = ("single train", "single val", "combination train", "combination val", "top train", "top val", "probe")
"""Numbers of each concept: IoU of the best single unit, of all units and of a few together, on the pictures for
training and for validation; then the accuracy of telling pictures with the concept from others."""
SIGNS = re.compile(r"\s+([+-])\s+")
"""What joins concepts."""


@dataclass(frozen=True)
class ConceptVectors:
    """The vectors of a layer with U units, of C concepts."""

    layer: str
    concepts: tuple[Concept, ...]
    weights: np.ndarray
    """(C, U) float32."""
    thresholds: np.ndarray
    """(U,) float32: a unit's mask is where its values are above it."""
    best_units: np.ndarray
    """(C,) int32: the unit whose mask alone fits best."""
    scores: np.ndarray
    """(C, SCORES) float32, 0..1; NaN for a probe that can't be measured."""
    few: np.ndarray
    """(C, U) float32: the vectors with a few units only."""

    def score(self, concept: int, name: str) -> float:
        """Returns one of the SCORES of the concept at a place."""
        return float(self.scores[concept, SCORES.index(name)])

    def place(self, name: str) -> int:
        """Returns the place of a concept. Raises InputError with near matches for an unknown one."""
        names = [concept.name for concept in self.concepts]
        if name not in names:
            known = nearest(name, names) or f"it has {', '.join(names[:5])} and others"
            raise InputError(f"layer {self.layer} has no vector of concept {name!r}; {known}")
        return names.index(name)

    def parse(self, text: str) -> list[tuple[int, int]]:
        """Returns sign and place of each concept of "triangle + blue - red". Raises InputError."""
        if any(concept.name == text.strip() for concept in self.concepts):
            return [(1, self.place(text.strip()))]
        first, *rest = SIGNS.split(text.strip())
        if not first:
            raise InputError("no concept; name one, such as triangle, or a sum such as triangle + blue - red")
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return [(1, self.place(first)), *((1 if sign == "+" else -1, self.place(name)) for sign, name in pairs)]

    def combine(self, terms: Sequence[tuple[int, int]]) -> np.ndarray:
        """Returns (U,) float32: a concept's own vector, or the sum of several, each of length 1 before."""
        if len(terms) == 1 and terms[0][0] > 0:
            return self.weights[terms[0][1]]
        units = unit_vectors(self.weights)
        total: np.ndarray = np.sum([sign * units[place] for sign, place in terms], 0, dtype=np.float32)
        return total

    def nearest_concepts(self, vector: np.ndarray, without: Collection[int] = ()) -> list[tuple[int, float]]:
        """Returns places of concepts with their cosine to a vector (U,), the most similar first.

        Those that their own vectors don't find, at an IoU of BAR on pictures for validation, say nothing and are left
        out. without: places to leave out too.
        """
        cosines = unit_vectors(self.weights) @ unit_vectors(vector[None])[0]
        order = np.argsort(-cosines, kind="stable").tolist()
        found = [place for place in order if self.score(place, "combination val") >= BAR]
        return [(place, float(cosines[place])) for place in found if place not in without]


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    """Returns vectors (n, U) with length 1, float32; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
