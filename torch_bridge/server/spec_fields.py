"""What the fields of a network's spec must be, wherever it was written: a file, a parent process, a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..inputs.preprocess import COLOURS, INTERPOLATIONS, MAX_SIDE
from ..inputs.sources import Input, NamedContent
from ..models.build import SEEDS
from ..recording.errors import InputError
from ..recording.schema import MAX_TEXT

MAX_INDEX = 1 << 40
MAX_SHOWN = 60
"""Characters of a wrong value that an error quotes."""


class Field(NamedTuple):
    """A check of a field's value, and what an error says is right."""

    fits: Callable[[Any], bool]
    wanted: str


def is_text(value: Any) -> bool:
    """Whether a value is a text that can be a name or a path: not too long, without null characters."""
    return isinstance(value, str) and len(value) <= MAX_TEXT and "\0" not in value


def _is_whole(value: Any, least: int = 0, most: int = MAX_INDEX) -> bool:
    return type(value) is int and least <= value <= most


def _are_channels(value: Any) -> bool:
    """Whether a value is a list, range or array of whole numbers from 0, those of NumPy too."""
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        return False
    entries = list(value)
    return all(hasattr(entry, "__index__") and type(entry) is not bool and entry >= 0 for entry in entries)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # false for NaN, and for huge whole numbers


def _is_list(value: Any, fits: Callable[[Any], bool], counts: tuple[int, ...] = ()) -> bool:
    """Whether a value is a list of entries that fit, of one of these counts if any are stated."""
    return isinstance(value, tuple | list) and all(map(fits, value)) and (not counts or len(value) in counts)


def _is_object(value: Any, fits: Callable[[Any], bool]) -> bool:
    """Whether a value maps texts to values that fit."""
    return isinstance(value, Mapping) and all(map(is_text, value)) and all(map(fits, value.values()))


TEXT = Field(is_text, f"a text of at most {MAX_TEXT} characters without null characters")
FLAG = Field(lambda value: type(value) is bool, "true or false")
INDEX = Field(_is_whole, "a whole number from 0")
NAMES = Field(lambda value: is_text(value) or _is_list(value, is_text), "a list of names or a file of them")
SPEC_FIELDS: dict[str, Field] = {
    "model": Field(lambda value: is_text(value) and value != "", 'a name such as "resnet50"'),
    "arguments": Field(lambda value: _is_object(value, lambda entry: True), "an object"),
    "folder": TEXT,
    "weights": TEXT,
    "classes": NAMES,
    "inputs": Field(
        lambda value: _is_list(value, lambda entry: is_text(entry) or isinstance(entry, NamedContent | Input)),
        'a list of pictures, tensors, sounds, "ids:…", "text:…" or "noise:SEED"',
    ),
    "keywords": Field(
        lambda value: _is_object(value, lambda entry: is_text(entry) or isinstance(entry, NamedContent)),
        "an object of arguments and inputs",
    ),
    "vocabulary": TEXT,
    "window": Field(
        lambda value: _is_list(value, _is_number, (2,)) and value[0] < value[1], "[low, high] such as [0, 4095]"
    ),
    "layers": Field(NAMES.fits, "a name or a list of names"),
    "size": Field(
        lambda value: _is_list(value, lambda side: _is_whole(side, 1, MAX_SIDE), (2,)),
        "(height, width) such as (224, 224)",
    ),
    "grid": Field(
        lambda value: _is_list(value, lambda side: _is_whole(side, 1), (2,)), "(rows, columns) such as (14, 14)"
    ),
    "crop": Field(lambda value: _is_number(value) and 0 < value <= 1, "a share above 0, up to 1"),
    "mean": Field(
        lambda value: _is_list(value, _is_number, (1, 3, 4)), "a list of numbers, one for each colour, such as (0.5,)"
    ),
    "std": Field(
        lambda value: _is_list(value, lambda entry: _is_number(entry) and entry > 0, (1, 3, 4)),
        "a list of numbers above 0, one for each colour, such as (0.5,)",
    ),
    "colours": Field(lambda value: type(value) is int and value in COLOURS, "1, 3 or 4"),
    "interpolation": Field(
        lambda value: is_text(value) and value in INTERPOLATIONS, f"one of {', '.join(INTERPOLATIONS)}"
    ),
    "stretch": FLAG,
    "index": INDEX,
    "positions": Field(lambda value: _is_object(value, _is_whole), "an object of layers and whole numbers from 0"),
    "seed": Field(lambda value: type(value) is int and value in SEEDS, f"a whole number from 0 to {SEEDS[-1]}"),
    "kernels": FLAG,
    "ablate": Field(
        lambda value: _is_object(value, _are_channels),
        "an object of layers and lists of channels",
    ),
    "name": TEXT,
}
"""All fields that a spec can state: those of `RecordSpec` but `trust`, which no file may give itself."""


def check_spec(where: str, spec: Mapping[str, Any]) -> None:
    """Raises InputError for the first field with a wrong value."""
    for name, value in spec.items():
        field = SPEC_FIELDS[name]
        if not field.fits(value):
            raise InputError(f"{where}: {name} is {_shown(value)}; {field.wanted} is needed")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
