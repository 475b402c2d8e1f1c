"""Draws failures: each picture beside bars of the concepts that speak for the wrong and for the right class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..attribution.heat_sheet import DELETION, INK, INSERTION, PAPER, TILE, HeatTile, fitted_text, to_tile
from .failure_cases import ConceptEvidence

MOST_BARS = 6
"""Concepts of a tile: those whose contributions to the two classes differ most."""
TEXT, NAME, BAR = 13, 15, 5
"""Size of names, and heights of a name and of a bar below it, pixels."""
WRONG, RIGHT = DELETION, INSERTION
"""sRGB 0..255 of the bars of the two classes."""
FAINT = (140, 142, 148)
"""sRGB 0..255 of the difference of the two bars."""


class FailureCase(NamedTuple):
    """A picture that was misclassified, with its evidence."""

    pixels: np.ndarray
    """(H, W, 3) uint8 sRGB."""
    title: str
    wrong: str
    """Names of the class with the highest score, and of the picture's own."""
    right: str
    evidence: ConceptEvidence

    def tiles(self) -> tuple[HeatTile, HeatTile]:
        """Returns the picture and its bars as tiles with captions."""
        picture = HeatTile(to_tile(self.pixels / np.float32(255)), (self.title, f"{self.wrong}, is {self.right}"), True)
        return picture, HeatTile(draw_evidence(self.evidence), (f"red: {self.wrong}", f"green: {self.right}"))


def describe_failure(case: FailureCase) -> str:
    """Returns what a note says: "object 412: circle, is star; circle 3.1, grey 1.2; against point 2.0"."""
    for_wrong, for_right = (_most(case.evidence, values) for values in (case.evidence.wrong, case.evidence.right))
    return f"{case.title}: {case.wrong}, is {case.right}; {for_wrong}; against {for_right}"


def _most(evidence: ConceptEvidence, values: np.ndarray, count: int = 2) -> str:
    """Names the concepts with the largest contributions (concepts,) above 0."""
    order = [place for place in np.argsort(-values, kind="stable")[:count].tolist() if values[place] > 0]
    return ", ".join(f"{evidence.concepts[place]} {values[place]:.2g}" for place in order) or "nothing"


def draw_evidence(evidence: ConceptEvidence) -> np.ndarray:
    """Draws two bars for each of the concepts that matter most, from one zero -> (TILE, TILE, 3) uint8."""
    canvas = Image.new("RGB", (TILE, TILE), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(TEXT)
    gaps = np.abs(evidence.wrong - evidence.right)
    shown = np.sort(np.argsort(-gaps, kind="stable")[:MOST_BARS])
    both = np.stack([evidence.wrong[shown], evidence.right[shown]])
    low, high = min(float(both.min(initial=0.0)), 0.0), max(float(both.max(initial=0.0)), 0.0)
    scale = (TILE - 1) / ((high - low) or 1.0)
    for row, place in enumerate(shown.tolist()):
        top = row * (TILE // MOST_BARS)
        gap = f"{both[0, row] - both[1, row]:+.1f}"
        name = fitted_text(evidence.concepts[place], font, TILE - font.getlength(f" {gap}"))
        pen.text((0, top + NAME // 2), name, INK, font, anchor="lm")
        pen.text((TILE - 1, top + NAME // 2), gap, FAINT, font, anchor="rm")
        for number, (value, colour) in enumerate(((both[0, row], WRONG), (both[1, row], RIGHT))):
            ends = sorted((-low * scale, (float(value) - low) * scale))
            y = top + NAME + number * BAR
            pen.rectangle((ends[0], y, max(ends[1], ends[0] + 1), y + BAR - 1), colour)
    return np.asarray(canvas)
