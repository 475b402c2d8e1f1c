"""Sheets of generated pictures before and after an intervention, with their difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .generator_layer import GeneratorLayer
from .interventions import ConceptCodes, ablation, insertion

COLUMNS = 8
"""Pictures of a row."""
GAP = 2
"""Pixels between pictures."""
PAPER = 255
GAIN = 0.5
"""Factor of differences, which are drawn around grey."""


def intervention_sheet(
    generator: GeneratorLayer, known: ConceptCodes, units: Sequence[int], levels: Tensor
) -> np.ndarray:
    """Returns (H, W, 3) uint8 sRGB of six rows: before, after and difference of an ablation and of an insertion.

    Above are pictures that show the concept, without the units; below ones that don't, with the units in the middle
    ninth. levels: (U,) of all units.
    """
    having, lacking = known.having[:COLUMNS], known.lacking[:COLUMNS]
    middle = torch.zeros(generator.size, dtype=torch.bool)
    rows, columns = (slice(side // 3, max(side // 3 + 1, -(-2 * side // 3))) for side in generator.size)
    middle[rows, columns] = True
    before, other = (generator.maps_and_pictures(codes)[1] for codes in (having, lacking))
    with torch.no_grad():
        after = generator.changed(having, ablation(units))
        painted = generator.changed(lacking, insertion(units, levels[list(units)], middle))
    return sheet([before, after, difference(before, after), other, painted, difference(other, painted)])


def difference(before: Tensor, after: Tensor) -> Tensor:
    """Returns how pictures (N, C, H, W) 0..1 have changed, around grey: lighter where a colour has become more."""
    return (0.5 + GAIN * (after - before)).clamp(0, 1)


def sheet(rows: Sequence[Tensor]) -> np.ndarray:
    """Returns (H, W, 3) uint8 sRGB: rows of pictures (N, 1 | 3, h, w) 0..1, one below another."""
    height, width = rows[0].shape[2:]
    columns = max(len(row) for row in rows)
    page = np.full((len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), PAPER, np.uint8)
    for down, row in enumerate(rows):
        pixels = (row.clamp(0, 1) * 255).round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()
        for across, picture in enumerate(pixels):
            top, left = down * (height + GAP), across * (width + GAP)
            page[top : top + height, left : left + width] = picture
    return page
