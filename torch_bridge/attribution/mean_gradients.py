"""Gradients of explained values with respect to the picture, averaged over several pictures, as maps."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..method_support.input_gradients import NO_GRADIENT
from ..method_support.method import ZERO, MethodContext, Step
from ..method_support.picture_maps import shrink
from ..method_support.run_limits import full_precision
from ..probing.backward import gradients
from ..recording import Maps
from ..recording.errors import ModelError
from .batches import run_batches
from .explained_maps import explained_maps
from .explained_values import Explained, ExplainedValues, explained_layers

MAX_VALUES = 16 << 20
"""Most gradients that are held at once: 64 MiB."""
NO_INFLUENCE = f"{ZERO}: the gradient of what is explained is 0 at every pixel"


@dataclass(frozen=True)
class GradientMean:
    """A method whose maps follow from mean gradients over some pictures."""

    name: str
    count: int
    """Number of pictures."""
    picture: Callable[[int], Tensor]
    """Returns each of them by its number: (1, C, H, W), normalised."""
    to_planes: Callable[[Tensor], Tensor]
    """(K, C, H, W) mean gradients -> (K, H, W) values of the maps."""
    describe: Callable[[ExplainedValues, list[float]], tuple[str, str]] = lambda explained, sums: ("", "")
    """Takes the sum of each map so far; returns what the label of a class adds to its name, and a note."""


class _Chunk(NamedTuple):
    """Some channels of a layer, and where they stand among all work."""

    explained: ExplainedValues
    rows: slice
    start: float
    end: float

    def step(self, share: float, text: str, maps: tuple[Maps, ...] = ()) -> Step:
        return Step(self.start + share * (self.end - self.start), f"{self.explained.layer}: {text}", maps)


def attribute_means(context: MethodContext, method: GradientMean, of: Explained, of_class: int) -> Iterator[Step]:
    """Computes the maps of a method, a few channels at a time.

    Raises InputError without a picture, or for a class if the layer of the classes isn't requested; ModelError where
    there is no gradient, or none that is finite.
    """
    yield Step(0.0, "running the network")
    layers = 1 if of == "class" else len(context.layers)
    for number, explained in enumerate(explained_layers(context, of, of_class)):
        planes, sums = list[np.ndarray](), list[float]()
        for chunk in _chunks(explained, number / layers, 1 / layers):
            means = yield from _mean_gradients(chunk, method)
            for plane in method.to_planes(means).cpu().numpy():
                if not np.isfinite(plane).all():
                    raise ModelError(f"{explained.layer}: the gradients are not finite; values overflow or are NaN")
                sums.append(float(plane.sum(dtype=np.float64)))
                planes.append(shrink(plane, len(explained.channels)))
            text, note = method.describe(explained, sums)
            maps = explained_maps(explained, method.name, planes, text, NO_INFLUENCE)
            maps = replace(maps, note=maps.note or note)
            yield chunk.step(1.0, f"{len(planes)} of {len(explained.channels)} channels", (maps,))


def _chunks(explained: ExplainedValues, start: float, share: float) -> Iterator[_Chunk]:
    size, count = max(MAX_VALUES // explained.picture.numel(), 1), len(explained.channels)
    for first in range(0, count, size):
        last = min(first + size, count)
        yield _Chunk(explained, slice(first, last), start + share * first / count, start + share * last / count)


def _mean_gradients(chunk: _Chunk, method: GradientMean) -> Generator[Step, None, Tensor]:
    """Returns the mean gradients of some channels, (K, C, H, W) float32; yields a step after each few pictures."""
    explained, rows = chunk.explained, chunk.rows
    sums = torch.zeros(rows.stop - rows.start, *explained.picture.shape[1:], device=explained.picture.device)

    def run(numbers: range) -> None:
        with torch.enable_grad():
            pictures = torch.cat([method.picture(number) for number in numbers]).requires_grad_()
            values = explained(pictures.clone())[:, rows].sum(0)
        sums.add_(torch.stack([_gradient(explained, value, pictures).float().sum(0) for value in values]))

    for done in run_batches(method.count, explained.copies, run):
        yield chunk.step(done / method.count, f"{done} of {method.count} pictures")
    return sums / method.count


def _gradient(explained: ExplainedValues, value: Tensor, pictures: Tensor) -> Tensor:
    """Scalar value, (N, C, H, W) pictures -> (N, C, H, W): its gradient. Raises ModelError if there is none."""
    found = None
    if value.requires_grad:
        with full_precision(pictures.device):
            (found,) = gradients([value], [pictures], of=f"layer {explained.layer}", keep_graph=True)
    if found is None:
        raise ModelError(NO_GRADIENT.format(explained.layer))
    return found
