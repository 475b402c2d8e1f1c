"""What is known of a layer's health while a data set goes by: which channels say nothing, the same, or too little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..probing.aliasing import StridedConv, aliased_energy, aliased_kernel_share, checkerboard_energy
from ..recording import FLAGS, Network
from ..recording.errors import InputError
from ..statistics import Covariance, ValueRange
from .dataset_pass import DatasetBatch, sample_positions

SAME = 0.99
"""Correlation over the data from which two channels count as one."""
FLAT = 0.9
"""Share of a channel's answers at the flat ends of its activation from which it counts as saturated."""
FOLDED = 0.5
"""Share of a channel's answer that its stride folds, from which it is aliased."""
CHECKERED = 0.5
"""Share of a pattern that repeats every second place, from which a map is one."""
STILL = 1e-6
"""Of a usual channel's range: what differs less is the same everywhere."""
ENOUGH = 64
"""Answers that must be there before they can be flat."""
FEW = 8
"""Pictures that a channel that is never negative must answer to before it is compared."""
LOOKED_INTO = 32
"""Pictures whose answers are taken apart by frequency."""
SILENT = {"relu": 0.0, "relu6": 0.0, "hardswish": -3.0}
"""Activations by name: inputs up to this give 0."""
ENDS: Mapping[str, tuple[float, float]] = {
    "relu6": (-np.inf, 6.0), "sigmoid": (-6.0, 6.0), "tanh": (-3.0, 3.0), "hardsigmoid": (-3.0, 3.0),
    "hardtanh": (-1.0, 1.0),
}  # fmt: skip
"""Inputs up to the first and from the second on change the answer by less than 1 % of what they could."""
OWN_ENDS: Mapping[str, tuple[float, float]] = {
    "relu6": (-np.inf, 6.0), "sigmoid": (0.0025, 0.9975), "tanh": (-0.995, 0.995), "hardsigmoid": (0.0, 1.0),
    "hardtanh": (-1.0, 1.0),
}  # fmt: skip
"""The same of the answers."""
THROUGH = frozenset(("maxpool2d", "dropout", "dropout2d", "identity"))
"""What may lie between a layer and its activation."""


class ActivationLimits(NamedTuple):
    """What becomes of a layer's values."""

    silent: float | None
    """All readers make 0 of values up to this; None where they don't."""
    ends: tuple[float, float] | None
    """Values beyond are flat; None where nothing bounds them."""


def activation_limits(network: Network, layer: str) -> ActivationLimits:
    """By the layer's own activation, or by the one that reads it."""
    own = network.layer(layer).kind.lower()
    if own in OWN_ENDS:
        return ActivationLimits(0.0 if own in SILENT else None, OWN_ENDS[own])
    readers = list(_readers(network, layer))
    silent = [SILENT[one] for one in readers if one in SILENT]
    ends = [ENDS[one] for one in readers if one in ENDS]
    whole = len(readers) > 0
    return ActivationLimits(
        min(silent) if whole and len(silent) == len(readers) else None,
        (min(low for low, _ in ends), max(high for _, high in ends)) if whole and len(ends) == len(readers) else None,
    )


def _readers(network: Network, layer: str) -> Iterator[str]:
    for edge in network.edges:
        if edge.source == layer:
            kind = network.layer(edge.target).kind.lower()
            yield from _readers(network, edge.target) if kind in THROUGH else (kind,)


class LayerHealth:
    """Of one layer. What is counted merges, see `statistics`."""

    def __init__(self, layer: str, nature: ActivationLimits, stride: StridedConv | None) -> None:
        self.layer, self.nature, self.stride = layer, nature, stride
        self.spread: ValueRange | None = None
        self.together: Covariance | None = None
        self.active: Tensor = torch.zeros(())
        """(C, h, w) in how many pictures each place was above 0."""
        self.flat = self.live = self.folded = self.answer = self.checks = self.all = 0.0
        self.looked = 0

    def add(self, view: DatasetBatch) -> None:
        """Some pictures have been seen. Raises InputError where the maps' sizes change."""
        maps = view.maps[self.layer]
        if self.spread is not None and maps.shape[1:] != self.active.shape:
            raise InputError(f"layer {self.layer} has other sizes for other pictures; health can't mix them")
        above = maps > 0
        counts = above.sum((2, 3)).cpu().numpy()
        ends = maps.amin((2, 3)).cpu().numpy(), maps.amax((2, 3)).cpu().numpy()
        spread = ValueRange.of(*ends, counts, maps.shape[2] * maps.shape[3])
        together = Covariance.of(sample_positions(maps.flatten(2), view.indices).T)
        self.spread = spread if self.spread is None else self.spread.merged(spread)
        self.together = together if self.together is None else self.together.merged(together)
        self.active = self.active + above.sum(0)
        self._ends(maps)
        if min(maps.shape[2:]) >= 4:
            checks, every = checkerboard_energy(maps)
            self.checks, self.all = self.checks + checks.cpu().numpy(), self.all + every.cpu().numpy()
        if self.stride is not None and self.looked < LOOKED_INTO:
            self._look_into(self.stride, view)

    def _ends(self, maps: Tensor) -> None:
        if self.nature.ends is not None:
            low, high = self.nature.ends
            silent = -np.inf if self.nature.silent is None else self.nature.silent
            self.flat = self.flat + ((maps <= low) | (maps >= high)).sum((0, 2, 3)).cpu().numpy()
            self.live = self.live + (maps > silent).sum((0, 2, 3)).cpu().numpy()

    def _look_into(self, stride: StridedConv, view: DatasetBatch) -> None:
        values = view.maps[stride.source] if stride.source else view.given
        if values.dim() == 4 and values.shape[1] == stride.module.in_channels:
            with torch.no_grad():
                fine, every = aliased_energy(stride.module, values[:2])
            self.folded, self.answer = self.folded + fine.cpu().numpy(), self.answer + every.cpu().numpy()
            self.looked += len(values[:2])

    @property
    def pictures(self) -> int:
        """How many have been seen."""
        return self.spread.pictures if self.spread is not None else 0

    def findings(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """(C,) int32 bits of FLAGS, and a line about each channel."""
        dead = self._dead()
        still = dead & (self.spread.high > 0) if self.spread is not None else dead
        twins, alike = self._twins(~dead)
        flat = self._flat()
        fine, checks = self._fine(), np.where(dead, 0.0, _share(self.checks, self.all, len(dead)))
        found = dead, twins >= 0, flat >= FLAT, (fine > FOLDED) | (checks > CHECKERED)
        lines: list[str] = []
        for channel in range(len(dead)):
            said = [
                f"dead{', the same' if still[channel] else ''} on all {self.pictures} pictures"
                if dead[channel]
                else "",
                f"like channel {twins[channel]}, correlation {alike[channel]:.3f}" if twins[channel] >= 0 else "",
                f"saturated in {flat[channel]:.0%} of its answers" if found[2][channel] else "",
                f"aliased: {fine[channel]:.0%} of its answer is too fine for its stride"
                if fine[channel] > FOLDED
                else "",
                f"a checkerboard: {checks[channel]:.0%} of its map" if checks[channel] > CHECKERED else "",
            ]
            lines.append("; ".join(filter(None, said)))
        bits = sum(one.astype(np.int32) << FLAGS.index(word) for one, word in zip(found, FLAGS, strict=False))
        return np.asarray(bits, np.int32), tuple(lines)

    def _dead(self) -> np.ndarray:
        assert self.spread is not None
        low, high = self.spread.low, self.spread.high
        ranges = high - low
        same = ranges <= STILL * np.maximum(np.median(ranges), np.abs(high))
        return same | (high <= self.nature.silent) if self.nature.silent is not None else same

    def _twins(self, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(C,) the channel that each is most like, -1 where none is like it; and their correlation."""
        assert self.spread is not None and self.together is not None
        told = alive & ((self.spread.low < 0) | (self.spread.fired >= FEW))
        alike = np.where(told[:, None] & told, self.together.correlations(), 0.0)
        np.fill_diagonal(alike, 0.0)
        twins, most = alike.argmax(1), alike.max(1, initial=0.0)
        return np.where(most >= SAME, twins, -1), most

    def _flat(self) -> np.ndarray:
        """(C,) share of answers at flat ends, of those that a ReLU lets through."""
        channels = len(self.active)
        enough = np.broadcast_to(np.asarray(self.live), channels) >= ENOUGH
        return np.where(enough, _share(self.flat, self.live, channels), 0.0)

    def _fine(self) -> np.ndarray:
        """(C,) share of the answer that the stride folds; 0 where the kernel lets little through that it would."""
        channels = len(self.active)
        if self.stride is None:
            return np.zeros(channels)
        kernels = aliased_kernel_share(self.stride.module.weight, self.stride.module.stride).cpu().numpy()
        return np.where(kernels > FOLDED, _share(self.folded, self.answer, channels), 0.0)


def _share(part: np.ndarray | float, whole: np.ndarray | float, channels: int) -> np.ndarray:
    """(C,) 0 where there is nothing."""
    part, whole = (np.broadcast_to(np.asarray(one, np.float64), channels) for one in (part, whole))
    return np.divide(part, whole, out=np.zeros(channels), where=whole > 0)
