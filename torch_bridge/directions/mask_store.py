"""Keeps where units are active, and the labels of the same pixels, in files, so that memory stays small."""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..data.labelled import LabelledData, PixelLabels
from ..dissection.passes import label_planes, read_labels
from ..dissection.tally import LabelPlanes
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import MethodContext
from ..recording.errors import InputError


class ArraySpool:
    """Arrays in a file without a name, which the system removes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()
        weakref.finalize(self, self._file.close)
        self._entries: list[tuple[int, tuple[int, ...], np.dtype]] = []
        self._end = 0

    def append(self, array: np.ndarray) -> None:
        """Adds an array of any shape. Raises OSError on a full disk."""
        self._file.seek(self._end)
        self._file.write(np.ascontiguousarray(array).data)
        self._entries.append((self._end, array.shape, array.dtype))
        self._end += array.nbytes

    def read(self, number: int) -> np.ndarray:
        """Returns the array of any shape that was added as this one, counted from 0."""
        start, shape, dtype = self._entries[number]
        self._file.seek(start)
        found = np.empty(shape, dtype)
        self._file.readinto(found.reshape(-1).view(np.uint8).data)  # type: ignore[attr-defined]
        return found


class MaskStore:
    """Masks of the units of some layers at the layers' own resolution, and labels, by picture."""

    def __init__(self, concepts: LabelledData, layers: Sequence[str]) -> None:
        self.concepts, self.share = concepts, 0.0
        """share: of the pictures that is done, 0..1."""
        self.category_of = torch.from_numpy(concepts.category_numbers())
        self.shapes: dict[str, tuple[int, int, int]] = {}
        """(U, h, w) of each layer."""
        self._masks = {layer: ArraySpool() for layer in layers}
        self._labels, self._size, self._whole = ArraySpool(), (0, 0), list[np.ndarray]()

    def __len__(self) -> int:
        """Returns the number of pictures."""
        return len(self._whole)

    def add(self, masks: Mapping[str, np.ndarray], labels: PixelLabels) -> None:
        """Adds pictures: masks (N, U, h, w) bool by layer. Raises InputError for pictures of another size."""
        sizes = {layer: (own.shape[1], own.shape[2], own.shape[3]) for layer, own in masks.items()}
        size = labels.maps.shape[2], labels.maps.shape[3]
        if len(self) and (sizes != self.shapes or size != self._size):
            raise InputError(f"{self.concepts.name}: pictures of different sizes; give them one by --size")
        self.shapes, self._size = sizes, size
        for layer, own in masks.items():
            for picture in own:
                self._masks[layer].append(np.flatnonzero(picture).astype(np.int32))
        for planes, whole in zip(labels.maps, labels.whole, strict=True):
            self._labels.append(planes.astype(np.uint16))
            self._whole.append(whole)

    def active(self, layer: str, picture: int) -> np.ndarray:
        """Returns (n,) int32: where units of a picture are active, as unit * h * w + row * w + column, ascending."""
        return self._masks[layer].read(picture)

    def masks(self, layer: str, picture: int) -> Tensor:
        """Returns the masks of a picture as (1, U, h, w) float32, 0 or 1."""
        found = torch.zeros(math.prod(self.shapes[layer]))
        found[torch.from_numpy(self.active(layer, picture)).long()] = 1.0
        return found.view(1, *self.shapes[layer])

    def planes(self, layer: str, picture: int) -> LabelPlanes:
        """Returns the labels of a picture, no smaller than the maps of a layer."""
        labels = PixelLabels(self._labels.read(picture).astype(np.int32)[None], self._whole[picture][None])
        return label_planes(torch.empty(1, *self.shapes[layer]), labels, self.category_of)


def collect_masks(
    context: MethodContext, indices: Sequence[int], thresholds: Mapping[str, np.ndarray]
) -> Iterator[MaskStore]:
    """Runs the network on labelled pictures and stores its units' masks; yields the store after each batch.

    thresholds: (U,) by layer. Pictures that can't be read, or whose labels can't, are left out. Raises ModelError, and
    InputError without such a data set, and where there are none.
    """
    data = context.data
    if not isinstance(data, LabelledData):
        raise InputError("concept vectors need a data set whose pixels are labelled, such as concepts:object")
    store = MaskStore(data, context.layers)
    for batch in DataSetPass(context, context.layers, "concept_vectors").batches(indices):
        kept, labels = read_labels(context, data, batch)
        if kept:
            bars = {layer: torch.from_numpy(own)[:, None, None] for layer, own in thresholds.items()}
            store.add({layer: (batch.maps[layer][kept].cpu() > bars[layer]).numpy() for layer in bars}, labels)
        store.share = batch.done / len(indices)
        yield store
    if not len(store):
        raise InputError(f"{data.name}: no picture has labels that can be read")
