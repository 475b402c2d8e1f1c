"""Selection from a data set: random indices, pages of indices, classes by a part of their name."""

from __future__ import annotations

import numpy as np

from ..recording.errors import InputError, UnknownName
from .base import DataSet


def random_indices(data: DataSet, count: int, seed: int, class_name: str | None = None) -> list[int]:
    """Up to `count` different random indices, of one class or all; the same for the same seed.

    Raises UnknownName for an unknown class, InputError for a negative seed.
    """
    if seed < 0:
        raise InputError(f"seed {seed}: a whole number from 0 on is needed")
    members = _members(data, class_name)
    order = np.argsort(np.random.default_rng(seed).random(len(members)), kind="stable")
    return members[order[: max(count, 0)]].tolist()


def page_indices(data: DataSet, start: int, count: int, class_name: str | None = None) -> list[int]:
    """Up to `count` indices in order, from the `start`-th on, of one class or all. Raises UnknownName."""
    start = max(start, 0)
    return _members(data, class_name)[start : start + max(count, 0)].tolist()


def search_classes(data: DataSet, text: str) -> list[tuple[str, int]]:
    """Classes whose name contains the text, ignoring case, each with its number of images."""
    counts = np.bincount(data.labels[data.labels >= 0], minlength=len(data.classes))
    part = text.strip().casefold()
    return [(name, int(count)) for name, count in zip(data.classes, counts, strict=True) if part in name.casefold()]


def _members(data: DataSet, class_name: str | None) -> np.ndarray:
    """(n,) indices in order, of one class or all."""
    if class_name is None:
        return np.arange(len(data))
    if class_name not in data.classes:
        raise UnknownName(f"class of {data.name}", class_name, data.classes)
    return np.flatnonzero(data.labels == data.classes.index(class_name))
