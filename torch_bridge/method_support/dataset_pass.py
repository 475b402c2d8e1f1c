"""Pictures of a data set through a network, batch by batch, as far as some of its layers.

The next pictures are read while the network runs. A batch is as large as the network's layers allow a short step, and
half as large wherever the network fails with it; a network that takes one picture at a time gets them so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..data import DataSet
from ..inputs.sources import preprocess_picture
from ..probing.partial_forward import PartialForward
from ..recording.errors import InputError, ModelError
from .input_gradients import full_precision
from .method import MethodContext

LOAD = 12 << 20
"""Values of all layers together that a batch may make: some 0.15 s of one core."""
ON_ACCELERATOR = 16
"""Times as many there."""
MOST = 32
PLACES = 64
"""Of a picture and channel that are sampled."""
TRIED = 32
"""Pictures that may be damaged before one is read."""


class LoadedPicture(NamedTuple):
    """One picture, ready for the network."""

    number: int
    """In the data set."""
    values: np.ndarray
    """(C, H, W) float32, the network's own numbers."""
    picture: np.ndarray
    """(H, W, 3) uint8 sRGB: what it sees."""


@dataclass(frozen=True)
class DatasetBatch:
    """What some pictures gave."""

    indices: np.ndarray
    """(N,) int64, in the data set."""
    pictures: Sequence[np.ndarray]
    """N of (H, W, 3) uint8 sRGB."""
    given: Tensor
    """(N, C, H, W) or whatever the network's first argument is."""
    maps: dict[str, Tensor]
    """By layer (N, C, h, w) float."""
    done: int
    """How many pictures there were up to here, unreadable ones among them."""
    unread: int


class DatasetPass:
    """The way of a data set's pictures to some layers. Raises InputError without a data set."""

    def __init__(self, work: MethodContext, layers: Sequence[str], method: str) -> None:
        if work.data is None:
            raise InputError(f"{method} needs a data set; choose one, or name one when the bridge starts")
        self.work, self.data = work, work.data
        self._sample = work.feed(_first(self.data))
        self.reach = PartialForward(work.model, list(dict.fromkeys(layers)), self._sample)
        self.most = _most(work, layers) if self._plain else 1
        self.unread = 0

    @property
    def picture(self) -> Tensor:
        """(1, C, H, W) the first argument for the data set's first picture."""
        first = self._sample[0]
        return first[0][None] if isinstance(first, list) else first

    @property
    def _plain(self) -> bool:
        """Whether its first argument is a picture, one at a time, so that others can be put in its place."""
        first = self.picture
        channels = self.work.how.channels
        return isinstance(first, Tensor) and first.dim() == 4 and first.shape[:2] == (1, channels)

    def arguments(self, pictures: Tensor) -> tuple[Any, ...]:
        """(N, C, H, W) pictures in the network's own numbers, as arguments beside the usual further ones."""
        first, *rest = self._sample
        beside = tuple(one.expand(len(pictures), *one.shape[1:]) for one in rest)
        return ([*pictures], *beside) if isinstance(first, list) else (pictures, *beside)

    def views(self, indices: Sequence[int]) -> Iterator[DatasetBatch]:
        """Run the network on these pictures, in order. Raises ModelError, and InputError where none can be read."""
        chunks = [indices[start : start + self.most] for start in range(0, len(indices), self.most)]
        done = 0
        with ThreadPoolExecutor(1, "pictures") as reader:
            coming = reader.submit(self._loaded, chunks[0])
            for chunk, after in zip(chunks, [*chunks[1:], ()], strict=True):
                loaded, coming = coming.result(), reader.submit(self._loaded, after)
                self.unread += len(chunk) - len(loaded)
                done += len(chunk)
                for part, maps, given in self._runs(loaded):
                    numbers = np.array([one.number for one in part], np.int64)
                    yield DatasetBatch(numbers, [one.picture for one in part], given, maps, done, self.unread)
        if self.unread == len(indices):
            raise InputError(f"data set {self.data.name}: none of these {len(indices)} pictures can be read")

    def _loaded(self, indices: Sequence[int]) -> list[LoadedPicture]:
        """Runs beside the network, which it leaves alone. Pictures that can't be read are left out."""
        found = []
        for index in indices:
            try:
                found.append(LoadedPicture(index, *preprocess_picture(self.data.picture(index), self.work.how)))
            except InputError:
                continue
        return found

    def _runs(self, loaded: Sequence[LoadedPicture]) -> Iterator[tuple[Sequence[LoadedPicture], dict[str, Tensor], Tensor]]:
        """Pictures of one size, as many as may be given at once, and what came of them."""
        while loaded:
            count = 1
            while count < min(self.most, len(loaded)) and loaded[count].values.shape == loaded[0].values.shape:
                count += 1
            part = loaded[:count]
            arguments = self._arguments_for(part)
            maps = self._maps(arguments, count)
            if maps is not None:
                given = arguments[0]
                yield part, maps, torch.stack(given) if isinstance(given, list) else given
                loaded = loaded[count:]

    def _arguments_for(self, part: Sequence[LoadedPicture]) -> tuple[Any, ...]:
        if not self._plain:
            return self.work.feed(self.data.picture(part[0].number))
        values = torch.from_numpy(np.stack([one.values for one in part]))
        return self.arguments(values.to(self.picture.device, self.picture.dtype))

    def _maps(self, arguments: tuple[Any, ...], count: int) -> dict[str, Tensor] | None:
        """By layer (N, C, h, w) float; None where it must be tried with fewer at once."""
        try:
            with torch.no_grad(), full_precision(self.work.device):
                found = {id: _real(maps) for id, maps in self.reach(arguments).maps.items()}
        except ModelError:
            if count == 1:
                raise
            self.most = count // 2
            return None
        if count > 1 and any(len(maps) != count for maps in found.values()):
            self.most = 1
            return None
        return {id: maps[:count] for id, maps in found.items()}


def _real(maps: Tensor) -> Tensor:
    return (maps.abs() if maps.is_complex() else maps).float()


def _first(data: DataSet) -> Any:
    """The first picture that can be read. Raises InputError where there is none among the first ones."""
    for index in range(min(len(data), TRIED) - 1):
        try:
            return data.picture(index)
        except InputError:
            continue
    return data.picture(min(len(data), TRIED) - 1)


def _most(work: MethodContext, layers: Sequence[str]) -> int:
    """Pictures at a time: by what all layers up to the last one asked for make of one."""
    made = 0
    left = set(layers)
    for layer in work.network.layers:
        made += math.prod(layer.map_shape)
        left.discard(layer.id)
        if not left:
            break
    load = LOAD * (1 if work.device.type == "cpu" else ON_ACCELERATOR)
    return max(1, min(MOST, load // max(made, 1)))


def sample_positions(flat: Tensor, indices: np.ndarray) -> np.ndarray:
    """(N, C, h * w) of pictures by their numbers -> (C, n) float32: some places, other ones of each picture."""
    step = -(-flat.shape[2] // PLACES) | 1  # odd: not the same columns always
    parts = [one[:, index % step :: step] for one, index in zip(flat, indices.tolist(), strict=True)]
    return torch.cat(parts, 1).cpu().numpy()
