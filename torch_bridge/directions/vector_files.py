"""Writes and reads the concept vectors of a layer in the folder of a dissection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ..data.labelled import MAX_CONCEPTS, Concept
from ..dissection.parts import write_whole
from ..dissection.single_run import dissected_tables
from ..recording.csv_tables import records_text
from ..recording.errors import InputError, RecordingError
from ..recording.files import parse_json, user_path
from ..recording.safetensors import encode, open_arrays
from .concept_vectors import SCORES, ConceptVectors

SUFFIX = ".vectors.safetensors"
"""Of the file beside LAYER.csv."""
ARRAYS = ("weights", "few", "thresholds", "best_units", "scores")
MOST_NAME = 256
"""Characters of the name of a concept or a category."""


def write_vectors(folder: Path, stem: str, vectors: ConceptVectors) -> None:
    """Writes STEM.vectors.safetensors and STEM.vectors.csv. Raises OSError."""
    names = json.dumps([list(concept) for concept in vectors.concepts])
    arrays = {name: getattr(vectors, name) for name in ARRAYS}
    write_whole(folder / f"{stem}{SUFFIX}", encode(arrays, {"layer": vectors.layer, "concepts": names}))
    write_whole(folder / f"{stem}.vectors.csv", [records_text(score_rows(vectors)).encode()])


def score_rows(vectors: ConceptVectors) -> list[dict[str, Any]]:
    """Returns a row for each concept: its name and category, its best single unit, and its SCORES, None for unknown."""
    rows = []
    for place, (concept, category) in enumerate(vectors.concepts):
        numbers = (float(value) if np.isfinite(value) else None for value in vectors.scores[place])
        head = {"concept": concept, "category": category, "unit": int(vectors.best_units[place])}
        rows.append(head | {name: number and round(number, 6) for name, number in zip(SCORES, numbers, strict=True)})
    return rows


def read_vectors(folder: str, layers: Mapping[str, int], weights: str = "") -> dict[str, ConceptVectors]:
    """Reads the vectors of some layers from the folder of a dissection.

    layers: number of units by layer. weights: their fingerprint, which the folder's must equal, if both are known.
    Raises InputError for damaged ones, those of another network, and where there are none.
    """
    path, tables = user_path(folder), dissected_tables(folder, layers, weights)
    return {
        layer: _read(path / f"{PurePath(tables[layer]).stem}{SUFFIX}", layer, units) for layer, units in layers.items()
    }


def _read(path: Path, layer: str, units: int) -> ConceptVectors:
    if not path.exists():
        raise InputError(f"{path}: no concept vectors of {layer}; innerwalk dissect writes them with --vectors")
    try:
        arrays, about = open_arrays(path)
        weights, few, thresholds, best, scores = (np.array(arrays[name]) for name in ARRAYS)
        concepts = tuple(Concept(str(name), str(category)) for name, category in parse_json(about["concepts"].encode()))
    except (RecordingError, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: damaged, or no concept vectors; dissect again with --vectors") from None
    if thresholds.shape != (units,):
        raise InputError(f"{path}: not of {units} units, as {layer} has: of another network")
    count = len(concepts)
    fits = 0 < count <= MAX_CONCEPTS and all(0 < len(text) <= MOST_NAME for concept in concepts for text in concept)
    fits = fits and weights.shape == few.shape == (count, units) and scores.shape == (count, len(SCORES))
    fits = fits and [array.dtype for array in (weights, few, thresholds, scores)] == [np.float32] * 4
    fits = fits and best.shape == (count,) and best.dtype == np.int32 and 0 <= best.min() <= best.max() < units
    if not fits or not (np.isfinite(weights).all() and np.isfinite(few).all()) or _out_of_range(scores):
        raise InputError(f"{path}: damaged, or no concept vectors; dissect again with --vectors")
    return ConceptVectors(layer, concepts, weights, thresholds, best, scores, few)


def _out_of_range(scores: np.ndarray) -> bool:
    known = scores[np.isfinite(scores)]
    return bool(np.isinf(scores).any() or np.isnan(scores[:, :-1]).any() or (known < 0).any() or (known > 1).any())
