"""The card beside a hand: facts about a layer or channel, like a museum label, with its map enlarged.

It is read from a distance of DISTANCE metres. Three text sizes order it; names of facts have a quieter colour.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial

import numpy as np

from ...layout.text_fitting import CAP, Align, Font
from ...scene.paint import glyphs
from ...time_slicing import run_all
from ..drawing.canvas import Canvas, size_for
from ..drawing.text_wrapping import fits, shortened, wrapped

DISTANCE = 0.6
"""Reading distance in metres: an arm's length."""
SMALL, MEDIUM, LARGE = (size_for(pixels, DISTANCE) for pixels in (20, 24, 30))
"""Text sizes in metres."""
WIDTH, MARGIN, RIM = 0.34, 0.018, 0.003
"""Width of the card, its margin and its rim, in metres."""
INNER_WIDTH = WIDTH - 2 * MARGIN
LINE_PITCH = 1.3
"""Distance of two lines, as a factor of their text size."""
MAX_PICTURE_HEIGHT = 0.19
"""Largest height of the picture, in metres."""
MAX_FACTS = 14
"""Largest number of facts on the card."""
PART_GAP, NARROW_GAP, COLUMN_GAP = 0.010, 0.010, 0.020
"""Metres between two parts, between a name and its value in half a line, and in a whole line or between two facts."""
BAR_HEIGHT, RULE_HEIGHT = 0.012, 0.0015
"""Heights of a job's progress bar and of the line below the title, in metres."""
HALF_WIDTH = (INNER_WIDTH - COLUMN_GAP) / 2
"""Width of a fact that shares its line with another, in metres."""

Fact = tuple[str, str]
"""Name and value."""
Row = tuple[float, Callable[[Canvas, float], None]]
"""Height in metres, and a function that draws the row above a given y."""


def draw_card(
    title: str,
    facts: Sequence[Fact],
    picture: np.ndarray | None = None,
    ends: tuple[str, str] = ("", ""),
    progress: tuple[str, float] | None = None,
    warning: str = "",
) -> Canvas:
    """Draws a card, WIDTH metres wide and as high as its content.

    picture: (H, W, 4) float32 sRGB, top row first. ends: labels of both ends of its scale. progress: name of a job and
    the share 0..1 of it that is done.
    """
    return run_all(draw_card_in_steps(title, facts, picture, ends, progress, warning))


def draw_card_in_steps(
    title: str,
    facts: Sequence[Fact],
    picture: np.ndarray | None = None,
    ends: tuple[str, str] = ("", ""),
    progress: tuple[str, float] | None = None,
    warning: str = "",
) -> Generator[None, None, Canvas]:
    """Draws a card like `draw_card`, one row in each step; picture: (H, W, 4) float32 sRGB, top row first."""
    plans: tuple[Callable[[], list[Row]], ...] = (
        partial(_title_rows, title),
        partial(_picture_rows, picture, ends),
        partial(_fact_rows, facts),
        partial(_progress_rows, progress),
        partial(_warning_rows, warning),
    )
    parts = []
    for plan in plans:
        parts.append(plan())
        yield
    rows = _with_gaps(part for part in parts if part)
    board, total = Canvas(), 2 * MARGIN + sum(height for height, _ in rows)
    board.frame((0, WIDTH), (0, total), RIM, "frame", "board")
    y = total - MARGIN
    for height, draw in rows:
        y -= height
        draw(board, y)
        yield
    return board


def _with_gaps(parts: Iterable[list[Row]]) -> list[Row]:
    rows = [row for part in parts for row in (*part, (PART_GAP, _draw_nothing))]
    return rows[:-1]


def _draw_nothing(board: Canvas, y: float) -> None:
    """Draws a gap."""


def _title_rows(title: str) -> list[Row]:
    """Returns the title, large if it fits one line, else in up to two lines, and a rule below it."""
    if not title.strip():
        return []
    size = LARGE if fits(title, INNER_WIDTH, LARGE, "mono") else MEDIUM
    lines = wrapped(title, INNER_WIDTH, size, 2, "mono")
    return [*_text_rows(lines, size, "text", family="mono"), (RULE_HEIGHT, _draw_rule)]


def _text_rows(lines: Iterable[str], size: float, colour: str, family: Font = "sans") -> list[Row]:
    """Returns a row for each line, its capitals centred vertically."""

    def draw(line: str, board: Canvas, y: float) -> None:
        board.text(line, size, colour, MARGIN, y + (LINE_PITCH - CAP) / 2 * size, family=family)

    return [(LINE_PITCH * size, partial(draw, line)) for line in lines]


def _draw_rule(board: Canvas, y: float) -> None:
    board.box((MARGIN, WIDTH - MARGIN), (y, y + RULE_HEIGHT), "frame")


def _picture_rows(pixels: np.ndarray | None, ends: tuple[str, str]) -> list[Row]:
    """Returns the picture, as wide as the card unless that is too high, and the ends of its scale below its corners."""
    if pixels is None or 0 in pixels.shape:
        return []
    width = min(INNER_WIDTH, MAX_PICTURE_HEIGHT * pixels.shape[1] / pixels.shape[0])
    x = ((WIDTH - width) / 2, (WIDTH + width) / 2)
    height = width * pixels.shape[0] / pixels.shape[1]
    rows: list[Row] = [(height, lambda board, y: board.picture(x, (y, y + height), pixels))]
    return [*rows, (LINE_PITCH * SMALL, partial(_draw_ends, x, ends))] if any(ends) else rows


def _draw_ends(x: tuple[float, float], ends: tuple[str, str], board: Canvas, y: float) -> None:
    baseline = y + (LINE_PITCH - CAP) / 3 * SMALL
    sides: tuple[tuple[float, Align, str], ...] = ((x[0], "left", ends[0]), (x[1], "right", ends[1]))
    for position, align, text in sides:
        line = shortened(text, (x[1] - x[0] - COLUMN_GAP) / 2, SMALL)
        board.text(line, SMALL, "quiet", position, baseline, align)


def _fact_rows(facts: Sequence[Fact]) -> list[Row]:
    """Returns the facts, short ones two in a line; those beyond MAX_FACTS are only counted."""
    rows = [row for line in _pack(facts[:MAX_FACTS]) for row in _line_rows(line)]
    left = len(facts) - MAX_FACTS
    return [*rows, *_text_rows([f"and {left} more"], SMALL, "quiet")] if left > 0 else rows


def _pack(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Returns the facts by line, in order: two short ones that follow each other share a line."""
    lines: list[list[Fact]] = []
    for fact in facts:
        if lines and len(lines[-1]) == 1 and _is_short(lines[-1][0]) and _is_short(fact):
            lines[-1].append(fact)
        else:
            lines.append([fact])
    return lines


def _is_short(fact: Fact) -> bool:
    return bool(fact[0]) and sum(glyphs.measure(part) for part in fact) * SMALL + NARROW_GAP <= HALF_WIDTH


def _line_rows(line: list[Fact]) -> list[Row]:
    """Returns the rows of one or two facts: name at the left, value at the right, in two rows if it is long."""
    if len(line) == 2:
        ends = (MARGIN + HALF_WIDTH, WIDTH - MARGIN)
        columns = [(end - HALF_WIDTH, end, *fact) for end, fact in zip(ends, line, strict=True)]
        return [(LINE_PITCH * SMALL, partial(_draw_facts, columns))]
    name, value = shortened(line[0][0], INNER_WIDTH / 2, SMALL), line[0][1]
    room = INNER_WIDTH - (glyphs.measure(name) * SMALL + COLUMN_GAP if name else 0.0)
    pairs = zip((name, ""), wrapped(value, room, SMALL, 2), strict=False)
    return [(LINE_PITCH * SMALL, partial(_draw_facts, [(MARGIN, WIDTH - MARGIN, *pair)])) for pair in pairs]


def _draw_facts(columns: list[tuple[float, float, str, str]], board: Canvas, y: float) -> None:
    """Draws facts in one line, each as (left, right, name, value)."""
    baseline = y + (LINE_PITCH - CAP) / 2 * SMALL
    for left, right, name, value in columns:
        board.text(name, SMALL, "quiet", left, baseline)
        board.text(value, SMALL, "text", right, baseline, "right")


def _progress_rows(progress: tuple[str, float] | None) -> list[Row]:
    """Returns the job's name, the share that is done, and a bar."""
    if progress is None:
        return []
    name, share = progress[0], min(max(progress[1], 0.0), 1.0)
    percent = f"{share:.0%}"
    name = shortened(name, INNER_WIDTH - COLUMN_GAP - glyphs.measure(percent) * SMALL, SMALL)
    columns = [(MARGIN, WIDTH - MARGIN, name, percent)]
    return [(LINE_PITCH * SMALL, partial(_draw_facts, columns)), (BAR_HEIGHT, partial(_draw_bar, share))]


def _draw_bar(share: float, board: Canvas, y: float) -> None:
    board.box((MARGIN, WIDTH - MARGIN), (y, y + BAR_HEIGHT), "track")
    if share > 0:
        board.box((MARGIN, MARGIN + share * INNER_WIDTH), (y, y + BAR_HEIGHT), "bar")


def _warning_rows(warning: str) -> list[Row]:
    """Returns the warning, in the theme's warm colour."""
    return _text_rows(wrapped(warning, INNER_WIDTH, MEDIUM, 3), MEDIUM, "skip") if warning.strip() else []
