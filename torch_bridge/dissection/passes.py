"""The two passes of Network Dissection over pictures: values for thresholds, then pixels of masks and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..data.labelled import LabelledData, PixelLabels, fit_labels
from ..method_support.data_set_pass import DataSetBatch, DataSetPass
from ..method_support.method import MethodContext
from ..recording.errors import InputError
from ..statistics import TailHistogram, TopK
from .alignment import Alignment, MapAxes
from .tally import LabelPlanes, UnitCounts, count_pixels

BEST = 10
"""Pictures that are kept of each unit."""
Part = TypeVar("Part", "LayerValues", UnitCounts)


@dataclass
class PassResult(Generic[Part]):
    """What a pass over some pictures found."""

    layers: dict[str, Part]
    unreadable: list[int] = field(default_factory=list)
    """Numbers of pictures that could not be read, or whose labels couldn't."""
    share: float = 0.0
    """Share of the pictures that is done, 0..1."""


@dataclass
class LayerValues:
    """How large the values of a layer's units are."""

    histogram: TailHistogram
    best: TopK

    @classmethod
    def empty(cls, units: int) -> LayerValues:
        """Returns those of no picture."""
        return cls(TailHistogram.empty(units), TopK.empty(units, BEST))

    def add(self, other: LayerValues) -> None:
        """Adds the values of other pictures."""
        self.histogram.merge(other.histogram)
        self.best = self.best.merged(other.best)

    def add_maps(self, maps: Tensor, indices: np.ndarray) -> None:
        """Adds the maps (N, U, h, w) of pictures with these numbers, (N,)."""
        units, width = maps.shape[1], maps.shape[3]
        flat = maps.flatten(2)
        values, places = (found.T.cpu().numpy() for found in flat.max(2))
        positions = np.stack([places // width, places % width], 2)
        self.best = self.best.merged(TopK.of(values, indices, positions))
        self.histogram.add(flat.transpose(0, 1).reshape(units, -1).cpu().numpy())


def collect_values(
    context: MethodContext, indices: Sequence[int], rotation: int = 0, is_part: bool = False
) -> Iterator[PassResult[LayerValues]]:
    """Runs the network on pictures; yields after each batch, at last all values by layer.

    rotation: seed of a random rotation of the units of each layer, 0 for none. Raises ModelError, and InputError where
    none of the pictures can be read, unless they are only part of those that are looked at.
    """
    result: PassResult[LayerValues] = PassResult({})
    seen: list[int] = []
    for batch in DataSetPass(context, context.layers, "dissection").batches(indices, is_part):
        for layer, maps in batch.maps.items():
            own = result.layers.setdefault(layer, LayerValues.empty(maps.shape[1]))
            own.add_maps(_rotated(maps, rotation), batch.indices)
        seen += batch.indices.tolist()
        result.share = batch.done / len(indices)
        yield result
    result.unreadable = sorted(set(indices) - set(seen))
    yield result


def count_masks(
    context: MethodContext,
    indices: Sequence[int],
    thresholds: Mapping[str, np.ndarray],
    rotation: int = 0,
    alignment: Alignment = "even",
    is_part: bool = False,
) -> Iterator[PassResult[UnitCounts]]:
    """Runs the network on labelled pictures; yields after each batch, at last the counts of pixels by layer.

    thresholds: (U,) by layer. alignment: how maps are laid over pictures. Other arguments and errors are those of
    `collect_values`.
    """
    data = context.data
    assert isinstance(data, LabelledData)
    category_of = torch.from_numpy(data.category_numbers())
    categories = len(data.categories)
    zero = {layer: UnitCounts.zero(len(found), len(category_of), categories) for layer, found in thresholds.items()}
    result, seen = PassResult(zero), list[int]()
    data_set_pass = DataSetPass(context, context.layers, "dissection")
    axes = MapAxes(data_set_pass, alignment)
    for batch in data_set_pass.batches(indices, is_part):
        kept, labels = read_labels(context, data, batch)
        planes: dict[tuple[int, int], LabelPlanes] = {}
        for layer, maps in batch.maps.items() if kept else ():
            own = _rotated(maps[kept], rotation).cpu()
            factors = _factors(own, labels)
            if factors not in planes:
                planes[factors] = label_planes(own, labels, category_of)
            known = planes[factors]
            found = count_pixels(own, known, torch.from_numpy(thresholds[layer]), axes.of(layer, batch, known.size))
            result.layers[layer].add(found)
        seen += batch.indices[kept].tolist()
        result.share = batch.done / len(indices)
        yield result
    result.unreadable = sorted(set(indices) - set(seen))
    yield result


def read_labels(context: MethodContext, data: LabelledData, batch: DataSetBatch) -> tuple[list[int], PixelLabels]:
    """Returns which pictures of a batch have readable labels, and their labels, (n, G, H, W) and (n, k)."""
    kept, maps, whole = [], [], []
    for place, index in enumerate(batch.indices.tolist()):
        try:
            found = data.pixel_labels(index)
        except InputError:
            continue
        kept.append(place)
        maps.append(fit_labels(found.maps, context.preprocessing) if len(found.maps) else None)
        whole.append(found.whole)
    size = next((labels.shape[1:] for labels in maps if labels is not None), (1, 1))
    groups = max((len(labels) for labels in maps if labels is not None), default=1)
    stacked = np.zeros((len(kept), groups, *size), np.int32)
    wide = np.zeros((len(kept), max(map(len, whole), default=0)), np.int32)
    for row, (labels, numbers) in enumerate(zip(maps, whole, strict=True)):
        if labels is not None:
            stacked[row, : len(labels)] = labels
        wide[row, : len(numbers)] = numbers
    return kept, PixelLabels(stacked, wide)


def _factors(maps: Tensor, labels: PixelLabels) -> tuple[int, int]:
    """Returns by which whole factors labels must be enlarged to be no smaller than the maps."""
    down, across = (-(-side // own) for side, own in zip(maps.shape[2:], labels.maps.shape[2:], strict=True))
    return down, across


def label_planes(maps: Tensor, labels: PixelLabels, category_of: Tensor) -> LabelPlanes:
    """Returns labels enlarged by whole factors until they are no smaller than maps (N, C, h, w)."""
    factors = _factors(maps, labels)
    large = labels.maps.repeat(factors[0], 2).repeat(factors[1], 3) if max(factors) > 1 else labels.maps
    planes, whole = (torch.from_numpy(array).long() for array in (large, labels.whole))
    return LabelPlanes.of(planes, whole, category_of)


def _rotated(maps: Tensor, seed: int) -> Tensor:
    """Returns maps (N, U, h, w) in a random orthonormal basis of the units; seed 0: as they are."""
    if not seed:
        return maps
    units = maps.shape[1]
    normal = torch.randn(units, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis, upper = torch.linalg.qr(normal)
    basis = basis * upper.diagonal().sign()  # else the distribution wouldn't be uniform
    return torch.einsum("ij,njhw->nihw", basis.to(maps), maps)
