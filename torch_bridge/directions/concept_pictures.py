"""Finds pictures that show a concept, and pictures without it: in folders, or by the labels of a data set."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import NamedTuple

from ..data import DataSet, open_data, random_indices
from ..method_support.method import Step
from ..recording.errors import InputError, nearest
from ..recording.files import user_path

LEAST_PICTURES = 10
"""Pictures that each side of a probe needs."""
CANDIDATES_PER_STEP = 64


class ConceptPictures(NamedTuple):
    """Some pictures of a data set."""

    data: DataSet
    indices: list[int]
    name: str
    """What they show, for people."""


def find_concept_pictures(
    data: DataSet | None, concept: str, others: str, count: int, seed: int
) -> Generator[Step, None, tuple[ConceptPictures, ConceptPictures]]:
    """Chooses at random up to `count` pictures of a concept, and as many others; returns both.

    concept, others: what the data set's pictures show (a class, or a label of the shipped `concepts`), or the place of
    another data set, such as a folder. others may be "": pictures of the data set without the concept. Raises
    InputError if there are fewer than LEAST_PICTURES.
    """
    if not concept:
        raise InputError("no concept; name a folder of its pictures, or what a data set's pictures show")
    source, label = _resolve(data, concept, "concept")
    if others:
        other_source, other_label = _resolve(data, others, "others")
    elif data is None:
        raise InputError("no others; name a folder of pictures without the concept, or choose a data set")
    else:
        other_source, other_label = data, ""
    wanted = yield from _choose(source, {label: True} if label else {}, count, seed, label or source.name)
    excluded = {label: False} if label and source is other_source else {}
    shown = {other_label: True} if other_label else {}
    name = other_label or (other_source.name if others else f"without {label or source.name}")
    without = yield from _choose(other_source, {**excluded, **shown}, count, seed + 1, name)
    return wanted, without


def _resolve(data: DataSet | None, text: str, what: str) -> tuple[DataSet, str]:
    """Returns the data set that a text means, and what its pictures must show, "" for anything."""
    if data is not None and text in data.concepts:
        return data, text
    if os.path.exists(user_path(text)) or text.startswith("concepts:"):
        return open_data(text), ""
    known = "" if data is None else f", and {data.name} has no such label"
    hint = nearest(text, () if data is None else data.concepts) or "name a folder of pictures"
    raise InputError(f"{what} {text!r}: no such folder{known}; {hint}")


def _choose(
    data: DataSet, conditions: dict[str, bool], count: int, seed: int, name: str
) -> Generator[Step, None, ConceptPictures]:
    """Chooses pictures that show each of the labels, or don't. Raises InputError if there are too few."""
    found: list[int] = []
    for number, index in enumerate(random_indices(data, len(data), seed)):
        if number % CANDIDATES_PER_STEP == CANDIDATES_PER_STEP - 1:
            yield Step(len(found) / count, f"looking for pictures: {name}")
        if all(data.shows(index, label) is shown for label, shown in conditions.items()):
            found.append(index)
        if len(found) == count:
            break
    check_count(len(found), name)
    return ConceptPictures(data, found, name)


def check_count(count: int, name: str) -> None:
    """Raises InputError if a side of a probe has fewer than LEAST_PICTURES."""
    if count < LEAST_PICTURES:
        raise InputError(f"{name}: {count} pictures, but a probe needs at least {LEAST_PICTURES} on each side")
