"""Labels: names of layers, their lengths, and which of them fit where they stand.

Stages have the largest labels, then blocks, then layers. A label that would be too small is left out; one that would
cover a panel or another label is shortened or left out.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...torch_bridge.recording import Layer
from .blocks import module_path
from .hall_model import Slot

Font = Literal["sans", "mono"]
Align = Literal["left", "centre", "right"]
Tone = Literal["text", "quiet"]

CAP, DESCENT = 0.52, 0.15
"""Height of a capital over the base line and depth of a `g` below it, as shares of `size`."""
MONO = 0.43
"""Advance of a character of the monospaced font, as a share of `size`."""
NARROW, USUAL, BROAD, FULL = 0.28, 0.45, 0.72, 0.78
"""Greatest advances of the other font: of `il.,`; of most characters; of `mwMW%`; of Chinese, Japanese and Korean."""
SIGNS = {
    "add": " +",
    "sub": " −",
    "mul": " ×",
    "scaled_dot_product_attention": " attention",
    "multi_head_attention_forward": " attention",
}
"""What stands for an operation behind the path of the module that it is in; for others their name."""
DEEPEST = 16
"""Tails of a path that are tried as its names."""
SHARED = 0.4
"""Share of the panels above which a common last part of their paths is left out."""


@dataclass(frozen=True)
class Label:
    """A line of text with its place."""

    text: str
    position: tuple[float, float, float]
    """Start, middle or end of the base line, by `align`; metres."""
    right: tuple[float, float, float]
    """Unit vector along the line."""
    up: tuple[float, float, float]
    """Unit vector from the foot to the head of the letters."""
    size: float
    """Metres; a capital is CAP of it high."""
    font: Font = "sans"
    tone: Tone = "text"
    align: Align = "left"
    slot: int = -1
    """Index of the layer that it names, else -1."""

    @property
    def width(self) -> float:
        """Estimated width in metres, a few per cent too long."""
        return text_width(self.text, self.font) * self.size

    def corners(self) -> np.ndarray:
        """Returns the (4, 3) float corners of its box in metres, from the lower left, against the clock."""
        start = {"left": 0.0, "centre": -0.5, "right": -1.0}[self.align] * self.width
        right, up = np.array(self.right), np.array(self.up)
        box = ((start, -DESCENT), (start + self.width, -DESCENT), (start + self.width, CAP + 0.1), (start, CAP + 0.1))
        return np.array([right * a + up * b * (self.size if b else 1) for a, b in box]) + self.position


def text_width(text: str, font: Font = "sans") -> float:
    """Returns an upper estimate of a text's length as a share of its size, from DejaVu Sans Mono and Noto Sans."""
    return sum(_advance(character, font) for character in text)


def _advance(character: str, font: Font) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return FULL
    if font == "mono":
        return MONO
    if character in " il.,:;!|'jItfr()[]":
        return NARROW
    return BROAD if character in "mwMW%@—" else 0.58 if character.isupper() else USUAL


def common_tails(layers: Sequence[Layer]) -> set[str]:
    """Returns the last parts of paths that more than SHARED of the modules with a panel have, such as `conv`."""
    tails = [module_path(layer.id).split(".")[-1] for layer in layers if layer.role == "panel" and ":" not in layer.id]
    return {tail for tail, count in Counter(tails).items() if count > SHARED * len(tails)}


def layer_names(layer: Layer, common: Collection[str] = ()) -> list[str]:
    """Returns a layer's path and its tails, longest first, no bare numbers; operations end with their sign or name.

    Later calls keep their number, so that the two sums of a transformer's block differ: "block.3 +", "block.3 +@2".
    """
    called, _, number = layer.id.partition("@")
    operation = called.partition(":")[2]
    sign = SIGNS.get(operation, f" {operation}" if operation else "") + (f"@{number}" if number else "")
    parts = [part for part in module_path(layer.id).split(".") if part]
    if len(parts) > 1 and parts[-1] in common:
        parts = parts[:-1]
    starts = [0, *range(max(1, len(parts) - DEEPEST), len(parts))]
    tails = [parts[k:] for k in starts if (parts and not parts[-1].isdigit()) or len(parts) - k > 1]
    return [".".join(tail) + sign for tail in tails] or [layer.id]


def fitting_names(options: Sequence[str], room: float, size: float, taken: Counter[str] | None = None) -> list[str]:
    """Returns those of the names that are no longer than `room` metres and that only one layer has."""
    short = [name for name in options if text_width(name, "mono") * size <= room]
    return [name for name in short if taken is None or taken[name] <= 1]


def block_numbers(layers: Sequence[Layer], heads: Collection[int]) -> np.ndarray:
    """Returns the (n,) int number of each layer's block. heads: first positions of blocks."""
    return np.cumsum([k in heads for k in range(len(layers))])


def layer_numbers(slots: Sequence[Slot]) -> dict[int, int]:
    """Returns the number of each panel along the aisle, from 1, by the layer's index."""
    return {slot.index: number for number, slot in enumerate((slot for slot in slots if slot.side), 1)}
