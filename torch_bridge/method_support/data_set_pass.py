"""Runs pictures of a data set through a network, batch by batch, as far as some of its layers.

A thread reads the next pictures while the network runs. The batch size follows from the size of the layers and is
halved when the network fails; a network that takes one picture at a time gets them one by one.
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

from ..capture.call_arguments import first_argument, with_pictures
from ..data import DataSet
from ..inputs.sources import preprocess_picture
from ..probing.partial_forward import PartialForward
from ..recording.errors import InputError, ModelError
from .method import MethodContext
from .run_limits import full_precision

MAX_BATCH_VALUES = 12 << 20
"""Values of all layers together for one batch on a CPU: about 0.15 s of one core."""
ACCELERATOR_FACTOR = 16
"""How many times as many values on an accelerator."""
MAX_BATCH = 32
MAX_SAMPLES = 64
"""Positions that are sampled of each picture's map."""
MAX_DAMAGED = 32
"""Pictures that are tried until the first one can be read."""


class LoadedPicture(NamedTuple):
    """One picture, ready for the network."""

    number: int
    """Its number in the data set."""
    values: np.ndarray
    """(C, H, W) float32, normalised."""
    picture: np.ndarray
    """(H, W, 3) sRGB uint8, top row first: what the network sees."""


@dataclass(frozen=True)
class DataSetBatch:
    """Some pictures and the maps they gave."""

    indices: np.ndarray
    """(N,) int64: numbers in the data set."""
    pictures: Sequence[np.ndarray]
    """N times (H, W, 3) sRGB uint8."""
    inputs: Tensor
    """(N, C, H, W) normalised, or whatever the network's first argument is."""
    maps: dict[str, Tensor]
    """By layer (N, C, h, w) float32."""
    done: int
    """Pictures so far, including unreadable ones."""
    unreadable: int
    """Unreadable pictures so far."""


class DataSetPass:
    """A pass of a data set's pictures through a network to some layers. Raises InputError without a data set."""

    def __init__(self, context: MethodContext, layers: Sequence[str], method: str) -> None:
        if context.data is None:
            raise InputError(f"{method} needs a data set; choose one, or name one when the bridge starts")
        self.context, self.data = context, context.data
        self._sample = context.arguments_from_picture(_first_picture(self.data))
        self.forward = PartialForward(context.model, list(dict.fromkeys(layers)), self._sample, context.positions)
        self.batch_size = _batch_size(context, layers) if self._takes_pictures else 1
        self.unreadable = 0

    @property
    def picture(self) -> Tensor:
        """(1, C, H, W) normalised: the first argument for the data set's first picture."""
        first = first_argument(self._sample)
        return first[0][None] if isinstance(first, list) else first

    @property
    def _takes_pictures(self) -> bool:
        """Whether the first argument is one picture, so that a batch of pictures can replace it."""
        first = self.picture
        channels = self.context.preprocessing.channels
        return isinstance(first, Tensor) and first.dim() == 4 and first.shape[:2] == (1, channels)

    def arguments(self, pictures: Tensor) -> tuple[Any, ...]:
        """Returns the arguments of `forward` for (N, C, H, W) normalised pictures; further ones are repeated."""
        return with_pictures(self._sample, pictures)

    def batches(self, indices: Sequence[int], may_be_empty: bool = False) -> Iterator[DataSetBatch]:
        """Runs the network on these pictures, in order.

        Raises ModelError, and InputError if none can be read, unless there may be none.
        """
        chunks = [indices[start : start + self.batch_size] for start in range(0, len(indices), self.batch_size)]
        done = 0
        with ThreadPoolExecutor(1, "pictures") as reader:
            pending = reader.submit(self._load, chunks[0])
            for chunk, next_chunk in zip(chunks, [*chunks[1:], ()], strict=True):
                loaded, pending = pending.result(), reader.submit(self._load, next_chunk)
                self.unreadable += len(chunk) - len(loaded)
                done += len(chunk)
                for part, maps, inputs in self._run(loaded):
                    numbers = np.array([item.number for item in part], np.int64)
                    pictures = [item.picture for item in part]
                    yield DataSetBatch(numbers, pictures, inputs, maps, done, self.unreadable)
        if self.unreadable == len(indices) and not may_be_empty:
            raise InputError(f"data set {self.data.name}: none of these {len(indices)} pictures can be read")

    def _load(self, indices: Sequence[int]) -> list[LoadedPicture]:
        """Reads pictures, in a thread that doesn't touch the network; leaves out those that can't be read."""
        loaded = []
        for index in indices:
            try:
                picture = self.data.picture(index)
                loaded.append(LoadedPicture(index, *preprocess_picture(picture, self.context.preprocessing)))
            except InputError:
                continue
        return loaded

    def _run(
        self, loaded: Sequence[LoadedPicture]
    ) -> Iterator[tuple[Sequence[LoadedPicture], dict[str, Tensor], Tensor]]:
        """Yields pictures of one size, as many as run at once, with their maps and inputs."""
        while loaded:
            count = 1
            while count < min(self.batch_size, len(loaded)) and loaded[count].values.shape == loaded[0].values.shape:
                count += 1
            part = loaded[:count]
            arguments = self._arguments_for(part)
            maps = self._maps(arguments, count)
            if maps is not None:
                first = first_argument(arguments)
                yield part, maps, torch.stack(first) if isinstance(first, list) else first
                loaded = loaded[count:]

    def _arguments_for(self, part: Sequence[LoadedPicture]) -> tuple[Any, ...]:
        if not self._takes_pictures:
            return self.context.arguments_from_picture(self.data.picture(part[0].number))
        values = torch.from_numpy(np.stack([item.values for item in part]))
        return self.arguments(values.to(self.picture.device, self.picture.dtype))

    def _maps(self, arguments: tuple[Any, ...], count: int) -> dict[str, Tensor] | None:
        """By layer (N, C, h, w) float32; None if fewer pictures at once must be tried."""
        try:
            with torch.no_grad(), full_precision(self.context.device):
                real = {id: _to_real(maps) for id, maps in self.forward(arguments).maps.items()}
        except ModelError:
            if count == 1:
                raise
            self.batch_size = count // 2
            return None
        if count > 1 and any(len(maps) != count for maps in real.values()):
            self.batch_size = 1
            return None
        return {id: maps[:count] for id, maps in real.items()}


def _to_real(maps: Tensor) -> Tensor:
    return (maps.abs() if maps.is_complex() else maps).float()


def _first_picture(data: DataSet) -> Any:
    """Returns the first picture that can be read. Raises InputError if none of the first MAX_DAMAGED can."""
    for index in range(min(len(data), MAX_DAMAGED) - 1):
        try:
            return data.picture(index)
        except InputError:
            continue
    return data.picture(min(len(data), MAX_DAMAGED) - 1)


def _batch_size(context: MethodContext, layers: Sequence[str]) -> int:
    """Returns how many pictures to run at once, from the values of all layers up to the last requested one."""
    values = 0
    left = set(layers)
    for layer in context.network.layers:
        values += math.prod(layer.map_shape)
        left.discard(layer.id)
        if not left:
            break
    limit = MAX_BATCH_VALUES * (1 if context.device.type == "cpu" else ACCELERATOR_FACTOR)
    return max(1, min(MAX_BATCH, limit // max(values, 1)))


def sample_positions(flat: Tensor, indices: np.ndarray) -> np.ndarray:
    """(N, C, h * w) maps of pictures with these numbers -> (C, n) float32: some positions of each."""
    step = -(-flat.shape[2] // MAX_SAMPLES) | 1  # odd, so that not always the same columns are taken
    parts = [maps[:, index % step :: step] for maps, index in zip(flat, indices.tolist(), strict=True)]
    return torch.cat(parts, 1).cpu().numpy()
