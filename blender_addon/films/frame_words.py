"""What is drawn over frames: titles, captions, names, numbers of tiles, pictures, and how far the film is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..imaging.colour_maps import THEMES
from ..imaging.heat_map import resize_bilinear
from ..pages.font import begun, shortened, text_length
from .film import Film, FilmWord, FrameState
from .frame_canvas import FrameCanvas

REFERENCE = (960, 540)
"""Picture in whose pixels all sizes here are; they grow with the frames."""
MARGIN, PADDING, LINE = 26.0, 9.0, 3.0
"""Free edge of a frame, of the strip behind words, and thickness of the line of progress."""
SIZES: Mapping[str, float] = {"title": 34.0, "caption": 18.0, "layer": 15.0, "left": 20.0, "right": 20.0}
BASES: Mapping[str, float] = {"title": 70.0, "caption": 34.0, "layer": 34.0}
"""Height of the base lines over the lower edge."""
ROOM: Mapping[str, float] = {"title": 0.9, "caption": 0.55, "layer": 0.38, "left": 0.4, "right": 0.4}
"""Share of a frame's width that a line of text may take."""
STRIP = 0.78
"""Opacity of what lies behind words."""
INSET = 190.0
"""Width of a picture in a corner."""
READABLE, CLEAR = 24.0, 40.0
"""Widths of a value's square from which its number is begun to be seen, and wholly."""
LARGEST_NUMBER = 19.0
DARK_TEXT, BRIGHT_TEXT = "#0A0D11", "#F2F4F7"


def draw_words(pixels: np.ndarray, state: FrameState, film: Film) -> None:
    """Draws all that stands over a frame onto its pixels, (H, W, 4) uint8 sRGB with straight alpha, in place."""
    canvas, theme = FrameCanvas(pixels), THEMES[film.theme]
    unit = min(canvas.width / REFERENCE[0], canvas.height / REFERENCE[1])
    _draw_numbers(canvas, state, unit)
    _draw_insets(canvas, state, theme, unit)
    for roles in (("title", "caption"), ("layer",), ("left",), ("right",)):
        if words := [word for word in state.words if word.role in roles]:
            _draw_group(canvas, words, theme, unit)
    if state.beside is not None:
        canvas.box(canvas.width / 2 - unit, 0, 2 * unit, canvas.height, theme["frame"])


def draw_progress(pixels: np.ndarray, state: FrameState, film: Film) -> None:
    """Draws the line of how far the film is along the lower edge; pixels: (H, W, 4) uint8 sRGB, in place."""
    canvas, theme = FrameCanvas(pixels), THEMES[film.theme]
    line = LINE * min(canvas.width / REFERENCE[0], canvas.height / REFERENCE[1])
    canvas.box(0, canvas.height - line, canvas.width, line, theme["track"], STRIP)
    canvas.box(0, canvas.height - line, canvas.width * state.progress, line, theme["bar"])


def _draw_group(canvas: FrameCanvas, words: Sequence[FilmWord], theme: Mapping[str, str], unit: float) -> None:
    """Draws lines of text that stand together, on one strip."""
    placed = [(word, *_place(canvas, word, unit)) for word in words]
    pad, opacity = PADDING * unit, max(word.opacity for word in words)
    left, right = min(x for _, _, x, _, _ in placed), max(x + width for _, _, x, _, width in placed)
    top = min(y - 0.78 * SIZES[word.role] * unit for word, _, _, y, _ in placed)
    bottom = max(y + 0.22 * SIZES[word.role] * unit for word, _, _, y, _ in placed)
    canvas.box(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad, theme["floor"], STRIP * opacity)
    for word, text, x, y, _ in placed:
        role = "quiet" if word.role == "layer" else "text"
        canvas.text(text, x, y, SIZES[word.role] * unit, theme[role], word.opacity)


def _place(canvas: FrameCanvas, word: FilmWord, unit: float) -> tuple[str, float, float, float]:
    """Returns the text of a word as far as there is room, where its base line begins, and its width; pixels."""
    size, edge = SIZES[word.role] * unit, MARGIN * unit
    text = (shortened if word.role == "layer" else begun)(word.text, ROOM[word.role] * canvas.width / size)
    width = text_length(text) * size
    x = {"layer": canvas.width - edge - width, "right": canvas.width / 2 + edge}.get(word.role, edge)
    y = canvas.height - BASES[word.role] * unit if word.role in BASES else edge + size
    return text, x, y, width


def _draw_numbers(canvas: FrameCanvas, state: FrameState, unit: float) -> None:
    """Draws the values of a tile into their squares where these are large enough."""
    numbers = state.numbers
    if numbers is None:
        return
    places = state.view.project(numbers.points)
    width = numbers.width / max(state.view.pixel(numbers.points.mean(0)), 1e-9)
    opacity = float(np.clip((width / unit - READABLE) / (CLEAR - READABLE), 0, 1))
    if opacity == 0 or (places[:, 2] <= 0).any():
        return
    longest = max(map(text_length, numbers.texts))
    size = min(LARGEST_NUMBER * unit, 0.86 * width / longest)
    for (x, y, _), text, is_bright in zip(places.tolist(), numbers.texts, numbers.are_bright.tolist(), strict=True):
        colour = DARK_TEXT if is_bright else BRIGHT_TEXT
        canvas.text(text, x, canvas.height - y + 0.35 * size, size, colour, opacity, "centre")


def _draw_insets(canvas: FrameCanvas, state: FrameState, theme: Mapping[str, str], unit: float) -> None:
    """Draws pictures into the upper right corner, the first one outermost."""
    if not state.inset_opacity:
        return
    width, size, edge = round(INSET * unit), SIZES["layer"] * unit, MARGIN * unit
    for k, inset in enumerate(state.insets):
        height = max(1, round(width * inset.pixels.shape[0] / inset.pixels.shape[1]))
        pixels = np.rint(resize_bilinear(inset.pixels.astype(float), height, width)).astype(np.uint8)
        x, y = round(canvas.width - edge - width - k * (width + edge)), round(edge)
        rim = 2 * unit
        panel = (x - rim, y - rim, width + 2 * rim, height + 2 * rim + 1.6 * size)
        canvas.box(*panel, theme["floor"], state.inset_opacity)
        canvas.picture(pixels, x, y, state.inset_opacity)
        caption = begun(inset.caption, width / size)
        canvas.text(caption, x, y + height + 1.15 * size, size, theme["text"], state.inset_opacity)
