"""Where the positions of a map lie in a picture: spread evenly, or at the centres of their receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from ..method_support.data_set_pass import DataSetBatch, DataSetPass
from ..probing.receptive_field import Spacing, compute_receptive_fields
from ..recording.errors import ModelError
from .tally import Axis, cell_axis

Alignment = Literal["even", "receptive-field"]
"""How maps are laid over pictures."""
ENLARGED = (1, 2, 4)
"""How many times as high and wide pictures are until they hold whole receptive fields."""
Spacings = tuple[Spacing | None, Spacing | None]
"""Of rows and columns; None for even ones."""


class MapAxes:
    """The axes along which maps of a data set's pictures are enlarged; receptive fields are computed once a size."""

    def __init__(self, data_set_pass: DataSetPass, alignment: Alignment) -> None:
        self._pass, self._alignment = data_set_pass, alignment
        self._spacings: dict[tuple[int, ...], Mapping[str, Spacings]] = {}

    def of(self, layer: str, batch: DataSetBatch, labels: tuple[int, int]) -> tuple[Axis, Axis] | None:
        """Returns rows and columns for the maps of a layer over labels of (height, width); None for even ones.

        Where a layer's receptive fields can't be tracked, or are the whole picture, its positions are spread evenly.
        """
        if self._alignment == "even" or batch.inputs.dim() != 4:
            return None
        size = tuple(batch.inputs.shape[2:])
        if size not in self._spacings:
            spread = [id for id, maps in batch.maps.items() if maps[0, 0].numel() > 1]
            self._spacings[size] = self._find_spacings(batch.inputs[:1], spread)
        found = zip(
            self._spacings[size].get(layer, (None, None)), batch.maps[layer].shape[2:], labels, size, strict=True
        )
        rows, columns = (_axis(*known) for known in found)
        return rows, columns

    def _find_spacings(self, picture: Tensor, layers: list[str]) -> Mapping[str, Spacings]:
        """Deep layers have no whole field in the picture; in a larger one the first position lies at the same pixel."""
        found: dict[str, Spacings] = dict.fromkeys(layers, (None, None))
        for times in ENLARGED:
            if all(None not in spacings for spacings in found.values()):
                break
            large = picture.new_zeros(1, picture.shape[1], *(side * times for side in picture.shape[2:]))
            try:
                with torch.no_grad():
                    maps = self._pass.forward(self._pass.arguments(large)).maps
            except ModelError:  # a network of one size
                break
            shapes = {layer: maps[layer].shape[1:] for layer in layers}
            fields = compute_receptive_fields(self._pass.forward, self._pass.arguments, large, shapes)
            for layer, known in found.items():
                rows, columns = fields[layer].spacings()
                found[layer] = known[0] or rows, known[1] or columns
        return found


def _axis(spacing: Spacing | None, positions: int, pixels: int, picture: int) -> Axis:
    """spacing: in pixels of the picture, of which there are as many as `picture`; labels have `pixels`."""
    if spacing is None:
        return cell_axis(positions, pixels)
    scale = pixels / picture
    return cell_axis(positions, pixels, (spacing[0] + 0.5) * scale - 0.5, spacing[1] * scale)
