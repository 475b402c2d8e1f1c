"""What the boards of a plate show: each input and output as a picture, coloured cells, rows of text or a waveform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....torch_bridge.recording import Endpoint, Recording
from ...imaging.colour_maps import colour_values
from ...plans.answer_board import HEADS, named_shares, picture_of
from ...plans.board_contents.mosaics import mosaic
from ...plans.board_contents.tokens import shown_word
from ...plans.number_text import format_count, format_number, format_percent
from ...plans.shown_endpoints import hidden_counts, pixels_of, shown_inputs, shown_outputs
from ..font import printable, text_length, wrapped_words
from ..map_pictures import MapLook
from ..picture_marks import PictureMark
from .graph import NodeKind, PlateNode
from .model import PlateStyle

ROWS = 5
"""Most rows of text."""
ROW, WAVE, MOST_LINES = 2.2, 5.0, 5
"""Heights of a row and of a waveform, and most lines of running text; in lines."""
PICTURE_ASPECTS, CELL_ASPECTS = (0.25, 4.0), (0.4, 2.0)
"""Least and greatest width to height of a picture and of coloured cells; others are stretched."""


@dataclass(frozen=True)
class BoardRow:
    """A line of text with a bar below it."""

    text: str
    value: str
    share: float
    """Length of the bar, 0..1."""


@dataclass(frozen=True)
class PlateBoard:
    """An input or an output."""

    name: str
    captions: tuple[str, ...]
    """What stands below the name, the longest first: the first that has room."""
    pixels: np.ndarray | None = None
    """(H, W, 3) uint8 sRGB, top row first."""
    marks: tuple[PictureMark, ...] = ()
    """Over the picture."""
    rows: tuple[BoardRow, ...] = ()
    words: tuple[str, ...] = ()
    """Text that runs over several lines."""
    wave: np.ndarray | None = None
    """(n, 2) float in −1..1: least and largest value of each stretch of a waveform."""
    aspect: float = 0.0
    """Width to height of the picture, 0 without one."""
    called: tuple[int, ...] = ()
    """As of its node."""

    def node(self, kind: NodeKind, number: int, style: PlateStyle) -> PlateNode:
        """Returns its node in the plate's graph."""
        lines = ROW * len(self.rows) or len(wrapped_words(self.words, style.room(style.board), MOST_LINES))
        lines = WAVE if self.wave is not None else lines
        label = text_length(printable(self.name))
        return PlateNode(kind, number, aspect=self.aspect, lines=lines, label=label, called=self.called)


def input_boards(recording: Recording, look: MapLook) -> list[PlateBoard]:
    """Returns the boards of the inputs, at most as many as a hall has; the last says how many more there are."""
    shown, (hidden, _) = shown_inputs(recording), hidden_counts(recording)
    boards = []
    for number, own in enumerate(shown):
        name = own.name or f"input {number + 1}" if len(shown) > 1 else own.source or "input"
        size = _size(recording, own)
        captions = (own.source if len(shown) > 1 else "", size, size.replace(" × ", "×"), own.kind)
        boards.append(_board(recording, own, name, _more(captions, hidden * (number == len(shown) - 1)), look))
    return boards


def output_boards(recording: Recording, look: MapLook) -> list[PlateBoard]:
    """Returns the boards of the outputs in the same way, () for a recording that says nothing of them."""
    shown, (_, hidden) = shown_outputs(recording), hidden_counts(recording)
    if shown[0].kind == "none" and not shown[0].layer:
        return []
    boards = []
    for number, own in enumerate(shown):
        kind = HEADS.get(own.kind, own.kind)
        name = own.name or kind if len(shown) > 1 else kind
        captions = _more((kind if name != kind else "", _size(recording, own)), hidden * (number == len(shown) - 1))
        boards.append(_board(recording, own, name, captions, look))
    return boards


def _more(captions: tuple[str, ...], hidden: int) -> tuple[str, ...]:
    return (f"and {hidden:,} more",) if hidden else tuple(filter(None, captions))


def _size(recording: Recording, own: Endpoint) -> str:
    """Returns how large an endpoint is: height and width of a picture, the number of tokens, else a sample's shape."""
    if own.kind == "tokens" and own.values is not None:
        return format_count(len(np.unique(own.values[:, 0])), "token")
    if own.kind in ("picture", "mask", "flow") and own.pixels is not None:
        several = f"{len(own.pixels)} of " if len(own.pixels) > 1 else ""
        return f"{several}{own.pixels.shape[1]} × {own.pixels.shape[2]}"
    layer = recording.network.by_id.get(own.layer)
    without_batch = (own.shape[:k] + own.shape[k + 1 :] for k in range(len(own.shape)))
    return " × ".join(map(str, layer.shape if layer and layer.shape in without_batch else own.shape))


def _board(recording: Recording, own: Endpoint, name: str, captions: tuple[str, ...], look: MapLook) -> PlateBoard:
    if own.kind == "boxes":
        under = picture_of(recording, own)
        best = (f"{row.text} {row.value}" for row in _class_rows(own))
        captions = (next(best, ""), *captions) if own.labels or own.values is not None else captions
        return _pictured(PlateBoard(name, tuple(filter(None, captions)), under, marks=_marks(own)), PICTURE_ASPECTS)
    pixels = pixels_of(own)
    if pixels is not None:
        return _pictured(PlateBoard(name, captions, mosaic(pixels)), PICTURE_ASPECTS)
    values = None if own.values is None else np.asarray(own.values, float)
    if values is None or not values.size:
        return PlateBoard(name, captions, words=(_size(recording, own) or "nothing to draw",))
    if own.kind == "waveform":
        return PlateBoard(name, captions, wave=_wave(values))
    if own.kind == "tokens":
        return _token_board(PlateBoard(name, captions), own, values)
    if own.kind == "classes":
        return PlateBoard(name, captions, rows=_class_rows(own))
    if own.kind == "numbers" and 1 in values.shape:
        return PlateBoard(name, captions, rows=_number_rows(own, values.ravel()))
    return _pictured(PlateBoard(name, captions, _cells(values, look)), CELL_ASPECTS)


def _pictured(board: PlateBoard, aspects: tuple[float, float]) -> PlateBoard:
    assert board.pixels is not None
    height, width, _ = board.pixels.shape
    aspect = min(max(width / height, aspects[0]), aspects[1])
    return PlateBoard(board.name, board.captions, board.pixels, board.marks, aspect=aspect)


def _class_rows(own: Endpoint) -> tuple[BoardRow, ...]:
    """Returns the best classes, or boxes."""
    if own.kind == "boxes":
        scores = np.zeros(0) if own.values is None else np.nan_to_num(own.values[:ROWS, 0])
        named = list(zip(own.labels or ("",) * len(scores), scores.tolist(), strict=False))
    else:
        named = named_shares(own)
    return tuple(BoardRow(name, format_percent(share), share) for name, share in named)


def _number_rows(own: Endpoint, values: np.ndarray) -> tuple[BoardRow, ...]:
    most = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    names = own.labels if len(own.labels) == len(values) else [f"value {row}" for row in range(len(values))]
    return tuple(
        BoardRow(name, format_number(value), abs(value) / most if np.isfinite(value) else 0.0)
        for name, value in zip(names[:ROWS], values[:ROWS].tolist(), strict=True)
    )


def _token_board(board: PlateBoard, own: Endpoint, values: np.ndarray) -> PlateBoard:
    """Returns the best token of each place as running text; of a single place, its best tokens with their shares."""
    values = np.nan_to_num(values)
    words = own.labels or tuple(str(int(token)) for token in values[:, 1])
    if len(np.unique(values[:, 0])) == 1 < len(values):
        rows = zip(words[:ROWS], values[:ROWS, 2].tolist(), strict=True)
        named = tuple(BoardRow(shown_word(word), format_percent(share), share) for word, share in rows)
        return PlateBoard(board.name, board.captions, rows=named)
    best = {place: word for place, word in zip(values[::-1, 0].tolist(), words[::-1], strict=True)}
    return PlateBoard(
        board.name, board.captions, words=tuple(printable(shown_word(best[place])) for place in sorted(best))
    )


def _marks(own: Endpoint) -> tuple[PictureMark, ...]:
    rows = np.zeros((0, 5)) if own.values is None else np.clip(np.nan_to_num(own.values), 0.0, 1.0)
    return tuple(PictureMark((x0, y0, x1, y1)) for _, x0, y0, x1, y1 in rows.tolist())


def _wave(values: np.ndarray) -> np.ndarray:
    """Returns the least and the largest value of all channels, of the largest absolute value."""
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    ends = np.stack([finite[0::2].min(0), finite[1::2].max(0)], 1)
    found: np.ndarray = ends / (np.abs(ends).max(initial=0.0) or 1.0)
    return found


def _cells(values: np.ndarray, look: MapLook) -> np.ndarray:
    """Returns a pixel for each number in the colours of maps; of a single row, in rows of a square."""
    if 1 in values.shape:
        side = int(np.ceil(np.sqrt(values.size)))
        padded = np.zeros(side * -(-values.size // side))
        padded[: values.size] = values.ravel()
        values = padded.reshape(-1, side)
    peak = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return np.rint(255 * colour_values(values, peak, look.colour_map, 1.0)).astype(np.uint8)
