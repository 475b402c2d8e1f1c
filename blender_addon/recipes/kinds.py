"""Kinds of values in a recipe: how each is checked, what an error calls right, and its JSON schema."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT, MAX_LIST = 4096, 20_000
MAX_WHOLE = 1 << 40


@dataclass(frozen=True)
class ValueKind:
    """What a value may be."""

    fits: Callable[[Any], bool]
    wanted: str
    """What an error says is needed."""
    schema: Mapping[str, Any]
    """The same in the words of JSON schema."""
    choices: Sequence[str] = field(default=())
    """The texts that are allowed, if only some are."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # false for NaN, and for huge whole numbers


def _is_plain(value: Any, depth: int = 4) -> bool:
    """Whether a value is made of texts, truth values, numbers of 64 bits, lists and tables, a few inside each other."""
    if isinstance(value, dict):
        return depth > 0 and len(value) <= MAX_LIST and all(_is_plain(part, depth - 1) for part in value.values())
    if isinstance(value, list):
        return depth > 0 and len(value) <= MAX_LIST and all(_is_plain(part, depth - 1) for part in value)
    is_whole = type(value) is int and abs(value) < 1 << 63
    return type(value) is bool or is_whole or (type(value) is float and _is_number(value)) or _is_text(value)


TEXT = ValueKind(_is_text, f"a printable text of 1 to {MAX_TEXT} characters", {"type": "string", "minLength": 1})
FLAG = ValueKind(lambda value: type(value) is bool, "true or false", {"type": "boolean"})
ANY_TABLE = ValueKind(
    lambda value: isinstance(value, dict) and _is_plain(value), "a table such as {num_classes = 10}", {"type": "object"}
)
HASH = ValueKind(
    lambda value: isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"),
    "64 digits 0 to f, as `sha256sum` prints them",
    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
)


def choice(names: Sequence[str]) -> ValueKind:
    """Returns the kind of one of some texts."""
    return ValueKind(lambda value: value in names, f"one of {', '.join(names)}", {"enum": list(names)}, names)


def whole(least: int = 0, most: int = MAX_WHOLE) -> ValueKind:
    """Returns the kind of a whole number from `least` to `most`."""
    wanted = f"a whole number from {least}" + (f" to {most}" if most < MAX_WHOLE else "")
    limits = {"type": "integer", "minimum": least, "maximum": most}
    return ValueKind(lambda value: type(value) is int and least <= value <= most, wanted, limits)


def number(above: float | None = None, most: float | None = None) -> ValueKind:
    """Returns the kind of a number above one and up to another, if they are stated."""
    wanted = "a number" + (f" above {above:g}" if above is not None else "") + (f", up to {most:g}" if most else "")
    limits = {"exclusiveMinimum": above} if above is not None else {}
    limits |= {"maximum": most} if most is not None else {}

    def fits(value: Any) -> bool:
        return _is_number(value) and (above is None or value > above) and (most is None or value <= most)

    return ValueKind(fits, wanted, {"type": "number", **limits})


def list_of(kind: ValueKind, counts: Sequence[int] = (), example: str = "") -> ValueKind:
    """Returns the kind of a list whose entries are of a kind; counts: the lengths that are allowed, () for any."""
    wanted = f"a list{f' such as {example}' if example else ''}, each entry {kind.wanted},"
    limits = {"minItems": min(counts), "maxItems": max(counts)} if counts else {"maxItems": MAX_LIST}

    def fits(value: Any) -> bool:
        is_list = isinstance(value, list) and len(value) <= MAX_LIST and (not counts or len(value) in counts)
        return is_list and all(map(kind.fits, value))

    return ValueKind(fits, wanted, {"type": "array", "items": dict(kind.schema), **limits})


def table_of(kind: ValueKind, example: str) -> ValueKind:
    """Returns the kind of a table whose values are of a kind."""

    def fits(value: Any) -> bool:
        is_table = isinstance(value, dict) and len(value) <= MAX_LIST and all(map(_is_text, value))
        return is_table and all(map(kind.fits, value.values()))

    return ValueKind(fits, f"a table such as {example}", {"type": "object", "additionalProperties": dict(kind.schema)})


def either(first: ValueKind, second: ValueKind) -> ValueKind:
    """Returns the kind of a value that is of one of two kinds."""
    schema = {"anyOf": [dict(first.schema), dict(second.schema)]}
    return ValueKind(
        lambda value: first.fits(value) or second.fits(value), f"{first.wanted}, or {second.wanted}", schema
    )
