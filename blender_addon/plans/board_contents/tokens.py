"""Tokens as a strip of small boards that runs over several lines like text, with probabilities where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..number_text import format_percent
from ..primitives import FLAT, Plan, Style
from .area import Area

SIZES = (0.17, 0.14, 0.115, 0.095, 0.08, 0.065, 0.055, 0.045, 0.036)
"""Sizes of the text that are tried in turn, as shares of the shorter side of the area."""
LONGEST = 24
"""Characters of a word that are shown."""
LINE, PAD, BETWEEN = 1.75, 0.35, 0.3
"""Height of a line, room beside a word and between two tokens, as shares of the text's size."""
SHARE_SIZE = 0.6
"""Size of a probability as a share of the word's."""


class Token(NamedTuple):
    """One token of a strip."""

    word: str
    share: float | None = None
    """Its probability 0..1, None for a token that is given."""


class _Placed(NamedTuple):
    token: Token
    left: float
    line: int
    width: float


def add_tokens(plan: Plan, tokens: Sequence[Token], area: Area) -> Area:
    """Adds a strip of tokens in lines from the upper left, and returns the part of the area that it takes.

    Where not all have room, the last place says how many more there are.
    """
    size, placed, more = _fit(plan.style, tokens, area)
    high = LINE * size * (1.0 + SHARE_SIZE * any(token.share is not None for token in tokens))
    lines = placed[-1].line + 1 if placed else 1
    taken = area.middle_strip(lines * high)
    for word, left, line, width in placed:
        top = taken.top - line * high
        _add_token(plan, word, (taken.left + left, top), width, size)
    if more:
        plan.text(FLAT, more, 0.8 * size, "quiet", x=area.right, y=taken.bottom - 0.9 * size, align="right")
    return taken


def _add_token(plan: Plan, token: Token, corner: tuple[float, float], width: float, size: float) -> None:
    """Adds one token; corner: its upper left, metres."""
    left, top = corner
    base = top - LINE * size
    plan.box(FLAT, (left, left + width), (base + 0.12 * size, top - 0.12 * size), "track", 0.012)
    word = shown_word(token.word)
    fitted = plan.style.fit(word, width - PAD * size, size)
    plan.text(FLAT, word, fitted, x=left + width / 2, y=base + 0.62 * size, align="centre")
    if token.share is not None:
        share, text = min(max(token.share, 0.0), 1.0), format_percent(token.share)
        low = base - SHARE_SIZE * LINE * size
        plan.box(FLAT, (left, left + width * share), (base, base + 0.12 * size), "bar", 0.018)
        small = plan.style.fit(text, width, SHARE_SIZE * size)
        plan.text(FLAT, text, small, "quiet", x=left + width / 2, y=low + 0.45 * size, align="centre")


def shown_word(word: str) -> str:
    """Returns a word as it is shown: without control characters, and cut if it is long; a space is "␣"."""
    clean = "".join(character if character.isprintable() else "·" for character in word).replace(" ", "␣")
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"


def _fit(style: Style, tokens: Sequence[Token], area: Area) -> tuple[float, list[_Placed], str]:
    """Returns the text's size, where the tokens that have room stand, and what is said of the others."""
    for share in SIZES:
        size = share * min(area.width, max(area.height, 0.5 * area.width))
        high = LINE * size * (1.0 + SHARE_SIZE * any(token.share is not None for token in tokens))
        placed = _lines(style, tokens, area.width, size)
        if not placed or (placed[-1].line + 1) * high <= area.height:
            return size, placed, ""
    last = int(area.height / high) - 1
    kept = [place for place in placed if place.line <= max(last, 0)]
    return size, kept, f"and {len(tokens) - len(kept):,} more"


def _lines(style: Style, tokens: Sequence[Token], room: float, size: float) -> list[_Placed]:
    """Returns where each token stands, in lines of `room` metres."""
    placed: list[_Placed] = []
    x, line = 0.0, 0
    for token in tokens:
        wide = max(style.measure(shown_word(token.word), "sans"), 0.6) * size + 2 * PAD * size
        width = min(wide, room)
        if x and x + width > room + 1e-9:
            x, line = 0.0, line + 1
        placed.append(_Placed(token, x, line, width))
        x += width + BETWEEN * size
    return placed
