"""Pictures of units: the picture in which a unit is most active, dark outside the unit's mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional as F

from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import MethodContext
from ..statistics import TopK

OUTSIDE = 0.25
"""Brightness outside the mask, as a share."""


def masked_pictures(
    context: MethodContext, best: Mapping[str, TopK], thresholds: Mapping[str, np.ndarray], units: Sequence[int]
) -> dict[str, dict[int, np.ndarray]]:
    """Returns by layer and unit (H, W, 3) float32 sRGB 0..1: the unit's best picture; units: () for all.

    Units that are never active have none. Raises ModelError.
    """
    wanted: dict[int, list[tuple[str, int]]] = {}
    for layer, top in best.items():
        for unit in units or range(len(top.pictures)):
            if top.pictures[unit, 0] >= 0 and top.values[unit, 0] > thresholds[layer][unit]:
                wanted.setdefault(int(top.pictures[unit, 0]), []).append((layer, unit))
    found: dict[str, dict[int, np.ndarray]] = {layer: {} for layer in best}
    for batch in DataSetPass(context, context.layers, "dissection").batches(sorted(wanted)) if wanted else ():
        for row, number in enumerate(batch.indices.tolist()):
            picture = batch.pictures[row].astype(np.float32) / 255
            for layer, unit in wanted[number]:
                values = batch.maps[layer][row, unit][None, None]
                large = F.interpolate(values, size=picture.shape[:2], mode="bilinear", align_corners=False)[0, 0]
                inside = (large > torch.as_tensor(thresholds[layer][unit])).cpu().numpy()[..., None]
                found[layer][unit] = np.where(inside, picture, picture * np.float32(OUTSIDE))
    return found
