"""Draws text in the pages' font as coverage of pixels: reads the outlines of letters from its file. numpy only."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np

from .font import FILE, glyph_numbers, printable

FINE = 8
"""Lines of sampling in a row of pixels; across, coverage is exact."""
CURVE = 6
"""Straight pieces of a curve of an outline."""
DEEPEST = 5
"""Letters inside each other, such as an accent in a letter, that are read at most."""
ON_CURVE, X_SHORT, Y_SHORT, REPEAT, X_SAME, Y_SAME = 1, 2, 4, 8, 16, 32
"""Flags of a point of an outline."""
WORDS, MORE, SCALE, SCALES, MATRIX = 1, 32, 8, 64, 128
"""Flags of a part of a letter that is made of others."""


@lru_cache(maxsize=256)
def text_coverage(text: str, size: float) -> tuple[np.ndarray, int]:
    """Returns how much of each pixel a line of text covers, (H, W) float32 0..1, and the row of its base line.

    size: pixels. The text begins at the left edge. Characters that the font lacks are shown as such.
    """
    table, scale = _font(), size / _font().units
    across, outlines = 0.0, []
    for character in printable(text):
        glyph = table.glyphs.get(ord(character), 0)
        outlines += [points + (across, 0) for points in table.outline(glyph)]
        across += table.advance(glyph)
    up, down = int(np.ceil(0.95 * size)), int(np.ceil(0.25 * size))
    shape = (up + down, max(1, int(np.ceil(across * scale)) + 1))
    segments = [np.stack([points, np.roll(points, -1, 0)], 1) for points in outlines if len(points) > 2]
    if not segments:
        return np.zeros(shape, np.float32), up
    lines = np.concatenate(segments) * (scale, -scale) + (0, up)
    return filled(lines, shape), up


def filled(lines: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns the coverage (H, W) float32 of what lines (n, 2, 2) in pixels enclose, by the non-zero winding rule."""
    height, width = shape
    total = np.zeros((height * FINE, width + 2))
    (x0, y0), (x1, y1) = lines[:, 0].T * [[1], [FINE]], lines[:, 1].T * [[1], [FINE]]
    rows = np.arange(height * FINE) + 0.5
    line, row = np.nonzero((np.minimum(y0, y1)[:, None] <= rows) & (rows < np.maximum(y0, y1)[:, None]))
    x = x0[line] + (rows[row] - y0[line]) / (y1[line] - y0[line]) * (x1[line] - x0[line])
    x = np.clip(x, 0, width)
    cell, way = x.astype(int), np.where(y1[line] > y0[line], 1.0, -1.0)
    np.add.at(total, (row, cell), way * (1 - (x - cell)))
    np.add.at(total, (row, cell + 1), way * (x - cell))
    covered = np.minimum(np.abs(np.cumsum(total, 1)), 1)[:, :width]
    return covered.reshape(height, FINE, width).mean(1).astype(np.float32)


class _Font:
    """The parts of a TrueType file that letters are drawn from."""

    def __init__(self, content: bytes) -> None:
        count = struct.unpack_from(">H", content, 4)[0]
        tables = {
            content[place : place + 4]: struct.unpack_from(">II", content, place + 8)[0]
            for place in range(12, 12 + 16 * count, 16)
        }
        self.content, self.start = content, tables[b"glyf"]
        self.units: int = struct.unpack_from(">H", content, tables[b"head"] + 18)[0]
        is_long = struct.unpack_from(">h", content, tables[b"head"] + 50)[0]
        glyph_count = struct.unpack_from(">H", content, tables[b"maxp"] + 4)[0]
        places = np.frombuffer(content, ">u4" if is_long else ">u2", glyph_count + 1, tables[b"loca"])
        self.places = places.astype(int) * (1 if is_long else 2)
        metrics = struct.unpack_from(">H", content, tables[b"hhea"] + 34)[0]
        self.advances = np.frombuffer(content, ">u2", 2 * metrics, tables[b"hmtx"])[::2]
        self.glyphs = glyph_numbers(content, tables[b"cmap"])

    def advance(self, glyph: int) -> int:
        return int(self.advances[min(glyph, len(self.advances) - 1)])

    def outline(self, glyph: int, depth: int = 0) -> list[np.ndarray]:
        """Returns the closed lines (n, 2) of a letter, in the font's units."""
        begin, end = self.places[glyph], self.places[glyph + 1]
        if begin == end or depth > DEEPEST:
            return []
        place = self.start + int(begin)
        contours = struct.unpack_from(">h", self.content, place)[0]
        return list(self._parts(place + 10, depth) if contours < 0 else self._simple(place + 10, contours))

    def _parts(self, place: int, depth: int) -> Iterator[np.ndarray]:
        more = MORE
        while more & MORE:
            more, glyph = struct.unpack_from(">HH", self.content, place)
            x, y = struct.unpack_from(">hh" if more & WORDS else ">bb", self.content, place + 4)
            place += 8 if more & WORDS else 6
            count = 1 if more & SCALE else 2 if more & SCALES else 4 if more & MATRIX else 0
            factors = np.frombuffer(self.content, ">i2", count, place) / 16384
            place += 2 * count
            turn = {0: np.eye(2), 1: np.eye(2) * factors.sum(), 2: np.diag(factors[:2])}.get(count)
            turn = factors.reshape(2, 2) if turn is None else turn
            yield from (points @ turn + (x, y) for points in self.outline(glyph, depth + 1))

    def _simple(self, place: int, contours: int) -> Iterator[np.ndarray]:
        ends = np.frombuffer(self.content, ">u2", contours, place).astype(int) + 1
        place += 2 * contours
        place += 2 + struct.unpack_from(">H", self.content, place)[0]
        flags: list[int] = []
        while len(flags) < ends[-1]:
            flag = self.content[place]
            place += 1
            repeats = self.content[place] if flag & REPEAT else 0
            place += bool(flag & REPEAT)
            flags += [flag] * (1 + repeats)
        columns = []
        for short, same in ((X_SHORT, X_SAME), (Y_SHORT, Y_SAME)):
            steps = []
            for flag in flags[: ends[-1]]:
                size = 1 if flag & short else 0 if flag & same else 2
                value = int.from_bytes(self.content[place : place + size], signed=size == 2)
                steps.append(-value if size == 1 and not flag & same else value)
                place += size
            columns.append(np.cumsum(steps))
        points, on = np.stack(columns, 1), np.array(flags[: ends[-1]]) & ON_CURVE > 0
        for first, last in zip([0, *ends[:-1]], ends, strict=True):
            yield _smooth(points[first:last], on[first:last])


def _smooth(points: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Returns a closed line (m, 2) along an outline of points (n, 2), of which those not `on` (n,) are controls."""
    whole: list[tuple[np.ndarray, bool]] = []
    for k in range(len(points)):
        if not on[k] and not on[k - 1]:
            whole.append(((points[k] + points[k - 1]) / 2, True))
        whole.append((points[k].astype(float), bool(on[k])))
    start = next(k for k, (_, is_on) in enumerate(whole) if is_on)
    whole = [*whole[start:], *whole[: start + 1]]
    shares, line = np.linspace(0, 1, CURVE + 1)[1:, None], [whole[0][0][None]]
    for k in range(1, len(whole)):
        point, is_on = whole[k]
        if is_on and whole[k - 1][1]:
            line.append(point[None])
        elif is_on:
            before, control = whole[k - 2][0], whole[k - 1][0]
            line.append((1 - shares) ** 2 * before + 2 * shares * (1 - shares) * control + shares**2 * point)
    return np.concatenate(line)


@cache
def _font() -> _Font:
    return _Font(FILE.read_bytes())
