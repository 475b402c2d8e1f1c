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
from ..statistics import ChannelHistogram, TopK
from ..statistics.histogram import FINE
from .tally import UnitCounts, count_pixels

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


@dataclass(frozen=True)
class LayerValues:
    """How large the values of a layer's units are."""

    histogram: ChannelHistogram
    best: TopK

    def merged(self, other: LayerValues) -> LayerValues:
        """Returns the values of both."""
        return LayerValues(self.histogram.merged(other.histogram), self.best.merged(other.best))


def collect_values(
    context: MethodContext, indices: Sequence[int], rotation: int = 0
) -> Iterator[PassResult[LayerValues]]:
    """Runs the network on pictures; yields after each batch, at last all values by layer.

    rotation: seed of a random rotation of the units of each layer, 0 for none. Raises ModelError, and InputError where
    none of the pictures can be read.
    """
    result: PassResult[LayerValues] = PassResult({})
    seen: list[int] = []
    for batch in _batches(context, indices, "dissection"):
        for layer, maps in batch.maps.items():
            found = _values(_rotated(maps, rotation), batch.indices)
            before = result.layers.get(layer)
            result.layers[layer] = found if before is None else before.merged(found)
        seen += batch.indices.tolist()
        result.share = batch.done / len(indices)
        yield result
    result.unreadable = sorted(set(indices) - set(seen))
    yield result


def _values(maps: Tensor, indices: np.ndarray) -> LayerValues:
    count, units, _, width = maps.shape
    flat = maps.flatten(2)
    values, places = (found.T.cpu().numpy() for found in flat.max(2))
    positions = np.stack([places // width, places % width], 2)
    best = TopK.empty(units, BEST).merged(TopK.of(values, indices, positions))
    histogram = ChannelHistogram.of(flat.transpose(0, 1).reshape(units, -1).cpu().numpy(), FINE)
    return LayerValues(histogram, best)


def count_masks(
    context: MethodContext,
    indices: Sequence[int],
    thresholds: Mapping[str, np.ndarray],
    rotation: int = 0,
) -> Iterator[PassResult[UnitCounts]]:
    """Runs the network on labelled pictures; yields after each batch, at last the counts of pixels by layer.

    thresholds: (U,) by layer. Other arguments and errors as in `collect_values`.
    """
    data = context.data
    assert isinstance(data, LabelledData)
    category_of = torch.from_numpy(data.category_numbers())
    categories = len(data.categories)
    zero = {layer: UnitCounts.zero(len(found), len(category_of), categories) for layer, found in thresholds.items()}
    result, seen = PassResult(zero), list[int]()
    for batch in _batches(context, indices, "dissection"):
        kept, labels = _labels(context, data, batch)
        for layer, maps in batch.maps.items() if kept else ():
            found = _count(_rotated(maps[kept], rotation).cpu(), labels, thresholds[layer], category_of)
            result.layers[layer] = result.layers[layer].merged(found)
        seen += batch.indices[kept].tolist()
        result.share = batch.done / len(indices)
        yield result
    result.unreadable = sorted(set(indices) - set(seen))
    yield result


def _batches(context: MethodContext, indices: Sequence[int], name: str) -> Iterator[DataSetBatch]:
    return DataSetPass(context, context.layers, name).batches(indices)


def _labels(context: MethodContext, data: LabelledData, batch: DataSetBatch) -> tuple[list[int], PixelLabels]:
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


def _count(maps: Tensor, labels: PixelLabels, thresholds: np.ndarray, category_of: Tensor) -> UnitCounts:
    """Counts a batch; labels smaller than the maps are enlarged by whole factors."""
    down, across = (-(-side // own) for side, own in zip(maps.shape[2:], labels.maps.shape[2:], strict=True))
    large = labels.maps.repeat(down, 2).repeat(across, 3) if max(down, across) > 1 else labels.maps
    planes, whole = (torch.from_numpy(array).long() for array in (large, labels.whole))
    return count_pixels(maps, planes, whole, torch.from_numpy(thresholds), category_of)


def _rotated(maps: Tensor, seed: int) -> Tensor:
    """Returns maps (N, U, h, w) in a random orthonormal basis of the units; seed 0: as they are."""
    if not seed:
        return maps
    units = maps.shape[1]
    normal = torch.randn(units, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis, upper = torch.linalg.qr(normal)
    basis = basis * upper.diagonal().sign()  # else the distribution wouldn't be uniform
    return torch.einsum("ij,njhw->nihw", basis.to(maps), maps)
