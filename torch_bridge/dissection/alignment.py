"""Where the positions of a map lie in a picture: spread evenly, or at the centres of their receptive fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from torch import Tensor

from ..method_support.data_set_pass import DataSetBatch, DataSetPass
from ..probing.receptive_field import ReceptiveFields, compute_receptive_fields
from .tally import Axis, cell_axis

Alignment = Literal["even", "receptive-field"]
"""How maps are laid over pictures."""


class MapAxes:
    """The axes along which maps of a data set's pictures are enlarged; receptive fields are computed once a size."""

    def __init__(self, data_set_pass: DataSetPass, alignment: Alignment) -> None:
        self._pass, self._alignment = data_set_pass, alignment
        self._fields: dict[tuple[int, ...], Mapping[str, ReceptiveFields]] = {}

    def of(self, layer: str, batch: DataSetBatch, labels: tuple[int, int]) -> tuple[Axis, Axis] | None:
        """Returns rows and columns for the maps of a layer over labels of (height, width); None for even ones.

        Where a layer's receptive fields can't be tracked, or are the whole picture, its positions are spread evenly.
        """
        if self._alignment == "even" or batch.inputs.dim() != 4:
            return None
        size = tuple(batch.inputs.shape[2:])
        if size not in self._fields:
            self._fields[size] = self._compute(batch.inputs[:1], batch.maps)
        axes = zip(self._fields[size][layer].centres(), labels, size, strict=True)
        rows, columns = (_axis(centres, pixels, whole) for centres, pixels, whole in axes)
        return rows, columns

    def _compute(self, picture: Tensor, maps: Mapping[str, Tensor]) -> Mapping[str, ReceptiveFields]:
        shapes: dict[str, Sequence[int]] = {layer: found.shape[1:] for layer, found in maps.items()}
        return compute_receptive_fields(self._pass.forward, self._pass.arguments, picture, shapes)


def _axis(centres: np.ndarray, pixels: int, picture: int) -> Axis:
    """centres: (n,) in pixels of the picture, of which there are as many as `picture`; labels have `pixels`."""
    if len(centres) < 2:
        return cell_axis(len(centres), pixels)
    scale = pixels / picture
    step = (centres[-1] - centres[0]) / (len(centres) - 1)
    return cell_axis(len(centres), pixels, float((centres[0] + 0.5) * scale - 0.5), float(step * scale))
