"""Measures text in Liberation Sans, which has the widths of Arial and Helvetica; its file lies in this folder."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, takewhile
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "LiberationSans-Regular.ttf"
FAMILIES = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Fonts of an SVG file: those that are installed on most systems have the same widths."""
MOST = 1000
"""Characters of a line of text; longer ones are cut."""
UNKNOWN = "□"
"""Stands for a character that the font lacks."""


@cache
def advances() -> dict[str, float]:
    """Returns the advance of each character of the font, as a share of its size."""
    content = FILE.read_bytes()
    count = struct.unpack_from(">H", content, 4)[0]
    tables = {
        content[start : start + 4]: struct.unpack_from(">II", content, start + 8)[0]
        for start in range(12, 12 + 16 * count, 16)
    }
    unit = struct.unpack_from(">H", content, tables[b"head"] + 18)[0]
    metrics = struct.unpack_from(">H", content, tables[b"hhea"] + 34)[0]
    widths = np.frombuffer(content, ">u2", 2 * metrics, tables[b"hmtx"])[::2] / unit
    glyphs = glyph_numbers(content, tables[b"cmap"])
    return {chr(code): float(widths[min(glyph, metrics - 1)]) for code, glyph in glyphs.items()}


def glyph_numbers(content: bytes, table: int) -> dict[int, int]:
    """Returns glyph by code point, from the character map for Windows and its basic multilingual plane (format 4)."""
    count = struct.unpack_from(">H", content, table + 2)[0]
    records = [struct.unpack_from(">HHI", content, table + 4 + 8 * k) for k in range(count)]
    start = table + next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    segments = struct.unpack_from(">H", content, start + 6)[0] // 2
    ends, firsts, deltas, offsets = (
        np.frombuffer(content, ">u2", segments, start + 14 + 2 * k * segments + (2 if k else 0)) for k in range(4)
    )
    found: dict[int, int] = {}
    for k, (first, end, delta, offset) in enumerate(
        zip(firsts.tolist(), ends.tolist(), deltas.tolist(), offsets.tolist(), strict=True)
    ):
        for code in range(first, min(end, 0xFFFE) + 1):
            place = start + 16 + 6 * segments + 2 * k + offset + 2 * (code - first)
            glyph = struct.unpack_from(">H", content, place)[0] if offset else code
            if glyph:
                found[code] = (glyph + delta) & 0xFFFF
    return found


def printable(text: str) -> str:
    """Returns a text with only characters of the font: others become their plain form or UNKNOWN, control ones spaces.

    Longer texts than any line are cut.

    >>> printable("caf\\u00e9\\t\\u732b")
    'café □'
    """
    text, known = text[: 2 * MOST], advances()
    if all(character in known and character >= " " for character in text):
        return text
    spaced = "".join(" " if character.isspace() or character < " " else character for character in text)
    return "".join(
        character if character in known else "".join(part for part in plain if part in known) or UNKNOWN
        for character in spaced
        for plain in (unicodedata.normalize("NFKD", character),)
    )


def text_length(text: str) -> float:
    """Returns a text's length as a share of its size."""
    known = advances()
    return sum(known.get(character, known[UNKNOWN]) for character in text)


def shortened(text: str, room: float) -> str:
    """Returns a text, or its end behind an ellipsis, that is no longer than `room` sizes; "" where nothing fits.

    >>> shortened("features.3.expand1x1", 5.0)
    '…pand1x1'
    """
    if _fitting(text, room) == len(text):
        return text
    count = _fitting(text[: -MOST - 1 : -1], room - text_length("…"))
    return f"…{text[len(text) - count :]}" if count else ""


def begun(text: str, room: float) -> str:
    """Returns a text, or its beginning before an ellipsis, that is no longer than `room` sizes; "" where nothing fits.

    >>> begun("Greater Swiss Mountain dog", 6.0)
    'Greater Swis…'
    """
    if _fitting(text, room) == len(text):
        return text
    start = text[: _fitting(text, room - text_length("…"))].rstrip()
    return f"{start}…" if start else ""


def _fitting(text: str, room: float) -> int:
    """Returns how many characters of a text fit, at most MOST."""
    lengths = accumulate(map(text_length, text[:MOST]))
    return sum(1 for _ in takewhile(lambda length: length <= room + 1e-9, lengths))


def first_fitting(options: Sequence[str], room: float) -> str:
    """Returns the first text that is no longer than `room` sizes, else the shortest one, shortened."""
    return next((text for text in options if text_length(text) <= room), shortened(min(options, key=text_length), room))


def wrapped_words(words: Sequence[str], room: float, most: int) -> list[str]:
    """Returns words in at most so many lines no longer than `room` sizes; the last ends in "+ 12" for 12 that miss.

    >>> wrapped_words(["a", "small", "grey", "cat"], 5.0, 2)
    ['a small', 'grey cat']
    """
    lines: list[list[str]] = [[]]
    placed = 0
    for word in words:
        fitted = begun(word, room)
        if lines[-1] and text_length(" ".join([*lines[-1], fitted])) > room:
            if len(lines) == most:
                break
            lines.append([])
        lines[-1].append(fitted)
        placed += 1
    while placed < len(words) and lines[-1]:
        more = f"+ {len(words) - placed:,}"
        if text_length(" ".join([*lines[-1], more])) <= room:
            lines[-1].append(more)
            break
        lines[-1].pop()
        placed -= 1
    return [" ".join(line) for line in lines]
