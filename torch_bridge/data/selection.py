"""Choosing from a data set: a random draw, a page, a class by a part of its name."""

from __future__ import annotations

import numpy as np

from ..recording.errors import InputError, UnknownName
from .base import DataSet


def random_indices(data: DataSet, count: int, seed: int, cls: str | None = None) -> list[int]:
    """Up to `count` indices at random, none twice, of one class if named; the same for the same seed.

    Raises UnknownName for a class that isn't there, InputError for a negative seed.
    """
    if seed < 0:
        raise InputError(f"seed {seed}: a whole number from 0 on is needed")
    among = _members(data, cls)
    order = np.argsort(np.random.default_rng(seed).random(len(among)), kind="stable")
    return among[order[: max(count, 0)]].tolist()


def page_indices(data: DataSet, start: int, count: int, cls: str | None = None) -> list[int]:
    """Up to `count` indices in order, from the `start`-th on, of one class if named. Raises UnknownName."""
    start = max(start, 0)
    return _members(data, cls)[start : start + max(count, 0)].tolist()


def search_classes(data: DataSet, text: str) -> list[tuple[str, int]]:
    """Classes whose name contains the text, whatever the case, each with its number of pictures."""
    counts = np.bincount(data.labels[data.labels >= 0], minlength=len(data.classes))
    wanted = text.strip().casefold()
    return [(name, int(n)) for name, n in zip(data.classes, counts, strict=True) if wanted in name.casefold()]


def _members(data: DataSet, cls: str | None) -> np.ndarray:
    """(n,) indices in order: all, or those of a class."""
    if cls is None:
        return np.arange(len(data))
    if cls not in data.classes:
        raise UnknownName(f"class of {data.name}", cls, data.classes)
    return np.flatnonzero(data.labels == data.classes.index(cls))
