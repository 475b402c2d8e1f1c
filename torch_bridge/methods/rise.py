"""RISE: how a class's probability or a channel depends on each pixel, from random masks. Needs no gradients.

1/(N p) sum_i f(x' + M_i (x - x')) M_i, over N masks M_i in which each cell is visible with probability p; x' is the
baseline. Without its mean value, f is at 0 where a pixel has no influence, and negative where it counts against it.
Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..attribution.baselines import BASELINE_HELP, Baseline, baseline_picture
from ..attribution.batches import run_batches
from ..attribution.explained_maps import explained_maps
from ..attribution.explained_values import EXPLAINED_HELP, Explained, ExplainedValues, explained_layers
from ..attribution.random_masks import RandomMasks
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import ZERO, Method, MethodContext, Step, parameter
from ..method_support.picture_maps import shrink
from ..predictions.classes import PREDICTED
from ..recording import Maps
from ..recording.errors import ModelError

PARTIAL_RESULTS = 12
"""How many times maps of a layer are shown while they are computed."""
ROUNDING = 1e-6
"""Share of a value within which all masks must keep it for it to count as unchanged."""
NO_INFLUENCE = f"{ZERO}: no mask changes what is explained"


@dataclass(frozen=True)
class Parameters:
    """What is explained, and the masks."""

    of: Explained = parameter("class", EXPLAINED_HELP)
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    count: int = parameter(2000, "Masks", 1, 1_000_000)
    cells: int = parameter(7, "Cells of a mask along each side", 1, 64)
    kept: float = parameter(0.5, "Probability that a cell is visible", 0.01, 0.99)
    baseline: Baseline = parameter("grey", BASELINE_HELP)
    centred: bool = parameter(
        True, "Subtract the mean over all masks, so that 0 is without influence; off: the paper's"
    )
    seed: int = parameter(0, "Seed of the masks", 0, 2**31 - 1)


def rise(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Runs the network on some masked pictures at a time.

    Maps: (1, H, W) for a class, in units of its probability, (C, H, W) for channels, in units of the channel, over the
    input. Raises InputError without a picture, or for a class if the layer of the classes isn't requested.
    """
    yield Step(0.0, f"{parameters.count} masks")
    layers = 1 if parameters.of == "class" else len(context.layers)
    for number, explained in enumerate(explained_layers(context, parameters.of, parameters.of_class)):
        run, last = _MaskedRun(context, explained, parameters), 0
        for done in run_batches(parameters.count, explained.copies, run.add):
            is_due = last * PARTIAL_RESULTS // parameters.count < done * PARTIAL_RESULTS // parameters.count
            share, last = (number + done / parameters.count) / layers, done
            message = f"{explained.layer}: mask {done} of {parameters.count}"
            yield Step(share, message, (run.maps(done),) if is_due else ())


class _MaskedRun:
    """Sums over the masks so far."""

    def __init__(self, context: MethodContext, explained: ExplainedValues, parameters: Parameters) -> None:
        self.explained, self.parameters = explained, parameters
        self.baseline = baseline_picture(context, parameters.baseline)
        size = tuple(explained.picture.shape[2:])
        self.masks = RandomMasks(size, parameters.cells, parameters.kept, parameters.seed)
        shape = self._shrink(np.zeros(size, np.float32)).shape
        self.weighted = np.zeros((len(explained.channels), *shape))
        """(K, h, w): sum of value times mask."""
        self.visible = np.zeros(shape)
        """(h, w): sum of the masks."""
        self.values = np.zeros(len(explained.channels))
        """(K,): sum of the values."""
        self.least, self.most = np.full_like(self.values, np.inf), np.full_like(self.values, -np.inf)
        """(K,): least and largest values."""

    def _shrink(self, mask: np.ndarray) -> np.ndarray:
        return shrink(mask, len(self.explained.channels))

    def add(self, numbers: range) -> None:
        """Runs the network on the picture under these masks."""
        picture = self.explained.picture
        masks = torch.cat([self.masks.mask(number) for number in numbers])
        values = self.explained.measure(self.baseline + masks.to(picture) * (picture - self.baseline))
        found = values.double().cpu().numpy()
        if not np.isfinite(found).all():
            raise ModelError(f"{self.explained.layer}: values are not finite under a mask; they overflow or are NaN")
        shrunk = np.stack([self._shrink(mask) for mask in masks[:, 0].numpy()]).astype(np.float64)
        self.weighted += np.einsum("nk,nhw->khw", found, shrunk)
        self.visible += shrunk.sum(0)
        self.values += found.sum(0)
        self.least, self.most = np.minimum(self.least, found.min(0)), np.maximum(self.most, found.max(0))

    def maps(self, done: int) -> Maps:
        """Returns the maps after `done` masks."""
        explained, sums = self.explained, self.weighted
        if self.parameters.centred:
            changes = self.most - self.least > ROUNDING * np.maximum(np.abs(self.most), np.abs(self.least))
            sums = (sums - (self.values / done)[:, None, None] * self.visible) * changes[:, None, None]
        planes = (sums / (done * self.parameters.kept)).astype(np.float32)
        return explained_maps(explained, RISE.name, list(planes), zero_note=NO_INFLUENCE)


RISE = Method(
    "rise",
    "RISE",
    "How a class's probability or a channel depends on each pixel, from random masks; needs no gradients.",
    rise,
    Parameters,
)
