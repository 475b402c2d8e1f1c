"""Statistics of a layer over a data set from which dead, duplicate, saturated and aliased channels are found."""

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
from .data_set_pass import DataSetBatch, sample_positions

DUPLICATE_CORRELATION = 0.99
"""Correlation over the data from which two channels are duplicates."""
SATURATED_SHARE = 0.9
"""Share of values at the flat ends of the activation from which a channel is saturated."""
ALIASED_SHARE = 0.5
"""Share of energy above the stride's Nyquist frequency beyond which a channel is aliased."""
CHECKERBOARD_SHARE = 0.5
"""Share of a map's energy in a checkerboard pattern beyond which a channel is aliased."""
MIN_RANGE = 1e-6
"""Minimum range, as a fraction of the median channel's range, for a channel to count as non-constant."""
MIN_VALUES = 64
"""Values that an activation must let through before the share at its flat ends is computed."""
MIN_ACTIVE_PICTURES = 8
"""Pictures in which a non-negative channel must be active before it is compared with others."""
ALIASING_PICTURES = 32
"""Pictures whose values are transformed to frequencies."""
SILENT_BELOW = {"relu": 0.0, "relu6": 0.0, "hardswish": -3.0}
"""By activation: inputs up to this value give 0."""
INPUT_ENDS: Mapping[str, tuple[float, float]] = {
    "relu6": (-np.inf, 6.0), "sigmoid": (-6.0, 6.0), "tanh": (-3.0, 3.0), "hardsigmoid": (-3.0, 3.0),
    "hardtanh": (-1.0, 1.0),
}  # fmt: skip
"""By activation: inputs outside these values change the output by less than 1 % of its range."""
OUTPUT_ENDS: Mapping[str, tuple[float, float]] = {
    "relu6": (-np.inf, 6.0), "sigmoid": (0.0025, 0.9975), "tanh": (-0.995, 0.995), "hardsigmoid": (0.0, 1.0),
    "hardtanh": (-1.0, 1.0),
}  # fmt: skip
"""The outputs at those inputs."""
PASS_THROUGH = frozenset(("maxpool2d", "dropout", "dropout2d", "identity"))
"""Kinds of layers that may lie between a layer and its activation."""


class ActivationLimits(NamedTuple):
    """Where the activation after a layer, or the layer itself if it is one, is flat."""

    silent_below: float | None
    """All readers turn values up to this one into 0; None where they don't."""
    ends: tuple[float, float] | None
    """Values outside are saturated; None where the activation is unbounded."""


def activation_limits(network: Network, layer: str) -> ActivationLimits:
    """Returns the limits of the layer, if it is an activation, or of all activations that read it."""
    own = network.layer(layer).kind.lower()
    if own in OUTPUT_ENDS:
        return ActivationLimits(0.0 if own in SILENT_BELOW else None, OUTPUT_ENDS[own])
    readers = list(_readers(network, layer))
    silent = [SILENT_BELOW[kind] for kind in readers if kind in SILENT_BELOW]
    ends = [INPUT_ENDS[kind] for kind in readers if kind in INPUT_ENDS]
    return ActivationLimits(
        min(silent) if readers and len(silent) == len(readers) else None,
        (min(low for low, _ in ends), max(high for _, high in ends)) if readers and len(ends) == len(readers) else None,
    )


def _readers(network: Network, layer: str) -> Iterator[str]:
    """Yields the kinds of the layers that read a layer, seen through PASS_THROUGH."""
    for edge in network.edges:
        if edge.source == layer:
            kind = network.layer(edge.target).kind.lower()
            yield from _readers(network, edge.target) if kind in PASS_THROUGH else (kind,)


class LayerHealth:
    """Running statistics of one layer. All are sums or mergeable, see `statistics`."""

    def __init__(self, layer: str, limits: ActivationLimits, stride: StridedConv | None) -> None:
        self.layer, self.limits, self.stride = layer, limits, stride
        self.range: ValueRange | None = None
        self.covariance: Covariance | None = None
        self.active: Tensor = torch.zeros(())
        """(C, h, w) int64: in how many pictures each position was above 0."""
        self.saturated = self.passed = self.aliased = self.filtered = self.checkerboard = self.energy = 0.0
        """(C,) float64 each, once there are pictures: counts of values at flat ends and of values that the activation
        lets through; energies that the stride folds, of that layer's output, of checkerboards and of the maps."""
        self.aliasing_pictures = 0

    def add(self, batch: DataSetBatch) -> None:
        """Adds a batch of pictures. Raises InputError if the size of the maps changes."""
        maps = batch.maps[self.layer]
        if self.range is not None and maps.shape[1:] != self.active.shape:
            raise InputError(
                f"layer {self.layer} has maps of different sizes for different pictures; use pictures of one size"
            )
        above = maps > 0
        counts = above.sum((2, 3)).cpu().numpy()
        ends = maps.amin((2, 3)).cpu().numpy(), maps.amax((2, 3)).cpu().numpy()
        value_range = ValueRange.of(*ends, counts, maps.shape[2] * maps.shape[3])
        covariance = Covariance.of(sample_positions(maps.flatten(2), batch.indices).T)
        self.range = value_range if self.range is None else self.range.merged(value_range)
        self.covariance = covariance if self.covariance is None else self.covariance.merged(covariance)
        self.active = self.active + above.sum(0)
        self._add_saturation(maps)
        if min(maps.shape[2:]) >= 4:
            checkerboard, energy = checkerboard_energy(maps)
            self.checkerboard = self.checkerboard + checkerboard.cpu().numpy()
            self.energy = self.energy + energy.cpu().numpy()
        if self.stride is not None and self.aliasing_pictures < ALIASING_PICTURES:
            self._add_aliasing(self.stride, batch)

    def _add_saturation(self, maps: Tensor) -> None:
        if self.limits.ends is not None:
            low, high = self.limits.ends
            silent = -np.inf if self.limits.silent_below is None else self.limits.silent_below
            self.saturated = self.saturated + ((maps <= low) | (maps >= high)).sum((0, 2, 3)).cpu().numpy()
            self.passed = self.passed + (maps > silent).sum((0, 2, 3)).cpu().numpy()

    def _add_aliasing(self, stride: StridedConv, batch: DataSetBatch) -> None:
        values = batch.maps[stride.source] if stride.source else batch.inputs
        if values.dim() == 4 and values.shape[1] == stride.module.in_channels:
            with torch.no_grad():
                aliased, energy = aliased_energy(stride.module, values[:2])
            self.aliased, self.filtered = self.aliased + aliased.cpu().numpy(), self.filtered + energy.cpu().numpy()
            self.aliasing_pictures += len(values[:2])

    @property
    def pictures(self) -> int:
        """Number of pictures added."""
        return self.range.pictures if self.range is not None else 0

    def findings(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Returns (C,) int32 bits of FLAGS, and a label for each channel."""
        dead = self._dead()
        constant = dead & (self.range.high > 0) if self.range is not None else dead
        twins, correlations = self._duplicates(~dead)
        saturated = self._saturated_shares()
        aliased = self._aliased_shares()
        checkerboard = np.where(dead, 0.0, _share(self.checkerboard, self.energy, len(dead)))
        found = (
            dead,
            twins >= 0,
            saturated >= SATURATED_SHARE,
            (aliased > ALIASED_SHARE) | (checkerboard > CHECKERBOARD_SHARE),
        )
        labels: list[str] = []
        for channel in range(len(dead)):
            same = ", the same" if constant[channel] else ""
            notes = {
                f"dead{same} on all {self.pictures} pictures": dead[channel],
                f"like channel {twins[channel]}, correlation {correlations[channel]:.3f}": twins[channel] >= 0,
                f"saturated in {saturated[channel]:.0%} of its values": found[2][channel],
                f"aliased: {aliased[channel]:.0%} of its energy is too fine for its stride": (
                    aliased[channel] > ALIASED_SHARE
                ),
                f"a checkerboard: {checkerboard[channel]:.0%} of its map": checkerboard[channel] > CHECKERBOARD_SHARE,
            }
            labels.append("; ".join(note for note, holds in notes.items() if holds))
        bits = sum(mask.astype(np.int32) << FLAGS.index(flag) for mask, flag in zip(found, FLAGS, strict=False))
        return np.asarray(bits, np.int32), tuple(labels)

    def _dead(self) -> np.ndarray:
        assert self.range is not None
        return dead_channels(self.range.low, self.range.high, self.limits.silent_below)

    def _duplicates(self, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(C,) the most similar channel, -1 where none is a duplicate; (C,) the correlation with it."""
        assert self.range is not None and self.covariance is not None
        comparable = alive & ((self.range.low < 0) | (self.range.active_pictures >= MIN_ACTIVE_PICTURES))
        correlations = np.where(comparable[:, None] & comparable, self.covariance.correlations(), 0.0)
        np.fill_diagonal(correlations, 0.0)
        twins, highest = correlations.argmax(1), correlations.max(1, initial=0.0)
        return np.where(highest >= DUPLICATE_CORRELATION, twins, -1), highest

    def _saturated_shares(self) -> np.ndarray:
        """(C,) share of values at flat ends among those that the activation lets through."""
        channels = len(self.active)
        enough = np.broadcast_to(np.asarray(self.passed), channels) >= MIN_VALUES
        return np.where(enough, _share(self.saturated, self.passed, channels), 0.0)

    def _aliased_shares(self) -> np.ndarray:
        """(C,) share of energy that the stride folds; 0 where the kernel itself filters most of it out."""
        channels = len(self.active)
        if self.stride is None:
            return np.zeros(channels)
        kernels = aliased_kernel_share(self.stride.module.weight, self.stride.module.stride).cpu().numpy()
        return np.where(kernels > ALIASED_SHARE, _share(self.aliased, self.filtered, channels), 0.0)


def dead_channels(low: np.ndarray, high: np.ndarray, silent_below: float | None) -> np.ndarray:
    """Returns (C,) bool: the activation gives 0 everywhere, or the values are constant.

    low, high: (C,) smallest and largest values over the data. silent_below: as in `ActivationLimits`.
    """
    ranges = high - low
    constant: np.ndarray = ranges <= MIN_RANGE * np.maximum(np.median(ranges), np.abs(high))
    return constant if silent_below is None else constant | (high <= silent_below)


def _share(part: np.ndarray | float, whole: np.ndarray | float, channels: int) -> np.ndarray:
    """(C,) float64 part / whole; 0 where the whole is 0."""
    part, whole = (np.broadcast_to(np.asarray(value, np.float64), channels) for value in (part, whole))
    return np.divide(part, whole, out=np.zeros(channels), where=whole > 0)
