"""The card at a hand: what a layer or a channel is, like a label in a museum, with its map enlarged.

Words are read from `AWAY` metres; three sizes of them make the order, and quiet words say what a value is of.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial

import numpy as np

from ...layout.text_fitting import CAP
from ...scene.paint import glyphs
from ...time_slicing import run_all
from ..drawing.canvas import Sketch, size_for
from ..drawing.text_wrapping import fits, shortened, wrapped

AWAY = 0.6
"""Metres: at arm's length."""
SMALL, MIDDLE, LARGE = (size_for(pixels, AWAY) for pixels in (20, 24, 30))
WIDTH, MARGIN, RIM = 0.34, 0.018, 0.003
INNER = WIDTH - 2 * MARGIN
PITCH = 1.3
"""From line to line, as a share of their size."""
TALLEST = 0.19
"""Metres: a picture is no higher."""
MOST = 12
"""Facts that are told."""
SPACE, BAR = 0.010, 0.012
"""Between two parts of the card, and in half a line between the words and the value; height of the bar of a job."""
BETWEEN = 0.020
"""Between two facts beside each other, and in a whole line between the words and the value."""

Fact = tuple[str, str]
Row = tuple[float, Callable[[Sketch, float], None]]
"""Its height, and what draws it when it is told where its lower edge is."""


def card(
    title: str, facts: Sequence[Fact], picture: np.ndarray | None = None, ends: tuple[str, str] = ("", ""),
    progress: tuple[str, float] | None = None, warning: str = "",
) -> Sketch:  # fmt: skip
    """WIDTH metres wide, as high as what it tells: facts (what, value), a picture (H, W, 4) sRGB over its scale's ends.

    progress: what a job does, and the share 0..1 of it that is done.
    """
    return run_all(card_in_parts(title, facts, picture, ends, progress, warning))


def card_in_parts(
    title: str, facts: Sequence[Fact], picture: np.ndarray | None = None, ends: tuple[str, str] = ("", ""),
    progress: tuple[str, float] | None = None, warning: str = "",
) -> Generator[None, None, Sketch]:  # fmt: skip
    """The same a row at a time."""
    asked: list[Callable[[], list[Row]]] = [
        partial(_title, title), partial(_picture, picture, ends), partial(_facts, facts), partial(_progress, progress),
        partial(_warning, warning),
    ]  # fmt: skip
    parts = []
    for rows_of in asked:
        parts.append(rows_of())
        yield
    rows = _spaced(part for part in parts if part)
    board, tall = Sketch(), 2 * MARGIN + sum(height for height, _ in rows)
    board.frame((0, WIDTH), (0, tall), RIM, "frame", "board")
    y = tall - MARGIN
    for height, draw in rows:
        y -= height
        draw(board, y)
        yield
    return board


def _spaced(parts: Iterable[list[Row]]) -> list[Row]:
    rows = [row for part in parts for row in (*part, (SPACE, _nothing))]
    return rows[:-1]


def _nothing(board: Sketch, y: float) -> None:
    """A gap."""


def _title(title: str) -> list[Row]:
    """In one line as large as it can be, else in two; a thin line parts it from the rest."""
    if not title.strip():
        return []
    size = LARGE if fits(title, INNER, LARGE, "mono") else MIDDLE
    return [*_lines(wrapped(title, INNER, size, 2, "mono"), size, "text", family="mono"), (0.0015, _rule)]


def _lines(lines: Iterable[str], size: float, tint: str, **more: str) -> list[Row]:
    """Each with its base line so that it stands in the middle of its row."""

    def draw(line: str, board: Sketch, y: float) -> None:
        board.words(line, size, tint, MARGIN, y + (PITCH - CAP) / 2 * size, **more)  # type: ignore[arg-type]

    return [(PITCH * size, partial(draw, line)) for line in lines]


def _rule(board: Sketch, y: float) -> None:
    board.box((MARGIN, WIDTH - MARGIN), (y, y + 0.0015), "frame")


def _picture(pixels: np.ndarray | None, ends: tuple[str, str]) -> list[Row]:
    """As wide as the card or as high as it may be, the ends of its scale below its corners."""
    if pixels is None or 0 in pixels.shape:
        return []
    wide = min(INNER, TALLEST * pixels.shape[1] / pixels.shape[0])
    x = ((WIDTH - wide) / 2, (WIDTH + wide) / 2)
    tall = wide * pixels.shape[0] / pixels.shape[1]
    rows: list[Row] = [(tall, lambda board, y: board.picture(x, (y, y + tall), pixels))]
    return [*rows, (PITCH * SMALL, partial(_ends, x, ends))] if any(ends) else rows


def _ends(x: tuple[float, float], ends: tuple[str, str], board: Sketch, y: float) -> None:
    for at, align, body in ((x[0], "left", ends[0]), (x[1], "right", ends[1])):
        line = shortened(body, (x[1] - x[0] - BETWEEN) / 2, SMALL)
        board.words(line, SMALL, "quiet", at, y + (PITCH - CAP) / 3 * SMALL, align)  # type: ignore[arg-type]


def _facts(facts: Sequence[Fact]) -> list[Row]:
    """Short facts two in a row, long ones alone; those that there is no room for are counted."""
    rows = [row for line in _packed(facts[:MOST]) for row in _fact_rows(line)]
    left = len(facts) - MOST
    return [*rows, *_lines([f"and {left} more"], SMALL, "quiet")] if left > 0 else rows


def _packed(facts: Sequence[Fact]) -> list[list[Fact]]:
    """In their order, two that follow each other on one line where both are short enough."""
    found: list[list[Fact]] = []
    for fact in facts:
        if found and len(found[-1]) == 1 and _is_short(found[-1][0]) and _is_short(fact):
            found[-1].append(fact)
        else:
            found.append([fact])
    return found


HALF = (INNER - BETWEEN) / 2


def _is_short(fact: Fact) -> bool:
    return bool(fact[0]) and sum(glyphs.measure(part) for part in fact) * SMALL + SPACE <= HALF


def _fact_rows(line: list[Fact]) -> list[Row]:
    """Quiet words at the left, the value at the right, in two lines where it is long."""
    if len(line) == 2:
        ends = (MARGIN + HALF, WIDTH - MARGIN)
        pair = [(end - HALF, end, *fact) for end, fact in zip(ends, line, strict=True)]
        return [(PITCH * SMALL, partial(_values, pair))]
    what, value = shortened(line[0][0], INNER / 2, SMALL), line[0][1]
    room = INNER - (glyphs.measure(what) * SMALL + BETWEEN if what else 0.0)
    told = zip((what, ""), wrapped(value, room, SMALL, 2), strict=False)
    return [(PITCH * SMALL, partial(_values, [(MARGIN, WIDTH - MARGIN, *one)])) for one in told]


def _values(told: list[tuple[float, float, str, str]], board: Sketch, y: float) -> None:
    """(left, right, what, value) of each."""
    base = y + (PITCH - CAP) / 2 * SMALL
    for left, right, what, value in told:
        board.words(what, SMALL, "quiet", left, base)
        board.words(value, SMALL, "text", right, base, "right")


def _progress(progress: tuple[str, float] | None) -> list[Row]:
    """What a job does, how much of it is done, and a bar."""
    if progress is None:
        return []
    what, share = progress[0], min(max(progress[1], 0.0), 1.0)
    done = f"{share:.0%}"
    line = shortened(what, INNER - BETWEEN - glyphs.measure(done) * SMALL, SMALL)
    return [(PITCH * SMALL, partial(_values, [(MARGIN, WIDTH - MARGIN, line, done)])), (BAR, partial(_bar, share))]


def _bar(share: float, board: Sketch, y: float) -> None:
    board.box((MARGIN, WIDTH - MARGIN), (y, y + BAR), "track")
    if share > 0:
        board.box((MARGIN, MARGIN + share * INNER), (y, y + BAR), "bar")


def _warning(warning: str) -> list[Row]:
    """In the one warm colour."""
    return _lines(wrapped(warning, INNER, MIDDLE, 3), MIDDLE, "skip") if warning.strip() else []
