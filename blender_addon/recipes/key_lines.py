"""The lines on which the keys of a TOML text stand, which Python's own parser doesn't tell."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str | int, ...]
"""Names of tables, with the number of an array's table after its name, and a key."""
KEY = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[\w\-. \t])+""")
OPENING, CLOSING, QUOTES = "[{", "]}", "\"'"
MAX_NAMES = 8
"""Names of a dotted key whose line is kept."""


def find_key_lines(text: str) -> dict[KeyPath, int]:
    """Returns the line, counted from 1, of each table and key of a valid TOML text; not of keys of inline tables."""
    lines: dict[KeyPath, int] = {}
    counts: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    for line, statement in _statements(text):
        if statement.startswith("[["):
            table = _with_numbers(_parse_key(statement[2:-2]), counts)
            counts[table] += 1
            table = (*table, counts[table] - 1)
            lines[table] = line
        elif statement.startswith("["):
            table = _with_numbers(_parse_key(statement[1:-1]), counts)
            lines[table] = line
        elif key := KEY.match(statement):
            names = _parse_key(key[0])
            for depth in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:depth]), line)
    return lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Returns the line of a key, or of the nearest table around it; 1 for the whole text."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)


def _with_numbers(names: tuple[str, ...], counts: Counter[KeyPath]) -> KeyPath:
    """Names of tables, with the number of the last table of each array around them."""
    path: KeyPath = ()
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if depth < len(names) and counts[path]:
            path = (*path, counts[path] - 1)
    return path


def _parse_key(text: str) -> tuple[str, ...]:
    """The first names of a dotted key, by Python's parser."""
    found: Any = tomllib.loads(f"{text.strip()} = 0")
    names: list[str] = []
    while isinstance(found, dict) and len(names) < MAX_NAMES:
        ((name, found),) = found.items()
        names.append(name)
    return tuple(names)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yields the line and text of each table header, and of each key with its value, without comments."""
    pieces: list[str] = []
    begun, line, depth, quote, place = 0, 1, 0, "", 0
    while place < len(text):
        character, step, is_kept = text[place], 1, True
        if quote:
            if character == "\\" and '"' in quote:
                step = 2
            elif text.startswith(quote, place):
                step, quote = len(quote), ""
        elif character in QUOTES:
            quote = character * (3 if text.startswith(character * 3, place) else 1)
            step = len(quote)
        elif character == "#":
            end = text.find("\n", place)
            step, is_kept = (len(text) if end < 0 else end) - place, False
        else:
            depth += (character in OPENING) - (character in CLOSING)
        if is_kept and (begun or not character.isspace()):
            begun = begun or line
            pieces.append(text[place : place + step])
        if character == "\n" and depth <= 0 and not quote and begun:
            yield begun, "".join(pieces).strip()
            pieces, begun = [], 0
        line += text.count("\n", place, place + step)
        place += step
    if begun:
        yield begun, "".join(pieces).strip()
