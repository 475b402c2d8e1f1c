"""What values are like: range, mean, signs, what is dead or not finite, and how they are spread. numpy only.

Counts and sums are exact or float64, and those of channels merge into those of their layer. Values are the maps as they
are recorded and shown, which is before an activation; NaN and infinity are counted apart and take part in nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps

BINS = 60
"""Of a histogram."""


@dataclass(frozen=True)
class Statistics:
    """Of one group of values (fields of shape ()), or of each channel (fields of shape (C,))."""

    count: np.ndarray
    """Finite values. Where there are none, the range, mean and deviation are NaN and the shares 0."""
    mean: np.ndarray
    deviation: np.ndarray
    """Standard deviation of the values themselves: divided by their count."""
    low: np.ndarray
    high: np.ndarray
    zeros: np.ndarray
    """How many are 0."""
    below: np.ndarray
    """How many are below 0."""
    nan: np.ndarray
    infinite: np.ndarray

    @property
    def share_of_zeros(self) -> np.ndarray:
        """Of the finite values, 0..1."""
        return self.zeros / np.maximum(self.count, 1)

    @property
    def share_below(self) -> np.ndarray:
        """Of the finite values, 0..1."""
        return self.below / np.maximum(self.count, 1)

    @property
    def sparsity(self) -> np.ndarray:
        """Share of finite values that are 0 or less, 0..1: those that are 0 after a ReLU of what is shown."""
        return (self.zeros + self.below) / np.maximum(self.count, 1)

    @property
    def dead(self) -> np.ndarray:
        """True where no finite value is above 0: nothing is left after a ReLU, with this input."""
        return ~(self.high > 0)

    @property
    def unknown(self) -> np.ndarray:
        """How many are NaN or infinite."""
        return self.nan + self.infinite

    def of(self, channel: int) -> Statistics:
        """One of the channels."""
        return Statistics(*(getattr(self, name)[channel] for name in self.__dataclass_fields__))

    def merged(self) -> Statistics:
        """All channels as one group."""
        some = self.count > 0
        count, total = self.count[some], max(int(self.count.sum()), 1)
        mean = (count * self.mean[some]).sum() / total
        squares = (count * (self.deviation[some] ** 2 + (self.mean[some] - mean) ** 2)).sum()
        numbers = [mean, np.sqrt(squares / total), self.low[some].min(initial=np.inf)]
        numbers.append(self.high[some].max(initial=-np.inf))
        told = [number if len(count) else np.nan for number in numbers]
        counts = [one.sum() for one in (self.zeros, self.below, self.nan, self.infinite)]
        return Statistics(*map(np.asarray, [self.count.sum(), *told, *counts]))


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of equally wide bins from `low` to `high`; the last one holds `high` too."""

    counts: np.ndarray
    """(bins,) int64."""
    low: float
    high: float
    unknown: int
    """NaN and infinite values, which are in no bin."""


def flat(maps: Maps) -> np.ndarray:
    """(C, n) float64 values of each channel; colour maps: red, green and blue together.

    Sums over channels side by side in memory take five times as long as turning them first.
    """
    cells = maps.texels.reshape(len(maps.texels), -1, 4)
    if maps.colour:
        return cells[: maps.channels, :, :3].astype(np.float64).reshape(maps.channels, -1)
    turned = cells.transpose(0, 2, 1).astype(np.float64, order="C")
    return turned.reshape(-1, cells.shape[1])[: maps.channels]


def of_channels(values: np.ndarray) -> Statistics:
    """Of each row of (C, n) values; see `flat`."""
    known = np.isfinite(values)
    whole = bool(known.all())

    def filled(gap: np.ndarray | float) -> np.ndarray:
        return values if whole else np.where(known, values, gap)

    count, nan = np.count_nonzero(known, 1), np.count_nonzero(np.isnan(values), 1)
    some, unknown, only = np.maximum(count, 1), values.shape[1] - count, filled(0.0)
    mean = only.sum(1) / some
    apart = filled(mean[:, None]) - mean[:, None]
    numbers = (
        mean, np.sqrt(np.einsum("cn,cn->c", apart, apart) / some),
        filled(np.inf).min(1, initial=np.inf), filled(-np.inf).max(1, initial=-np.inf),
    )  # fmt: skip
    mean, deviation, low, high = (np.where(count > 0, number, np.nan) for number in numbers)
    zeros, below = np.count_nonzero(only == 0, 1) - unknown, np.count_nonzero(only < 0, 1)
    return Statistics(count, mean, deviation, low, high, zeros, below, nan, unknown - nan)


def of_layer(maps: Maps) -> Statistics:
    """Of all values of a layer, as one group."""
    return of_channels(flat(maps)).merged()


def joined(parts: Sequence[Statistics]) -> Statistics:
    """Of groups of channels as of all their channels, in this order."""
    return Statistics(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in parts[0].__dataclass_fields__)
    )


def together(parts: Sequence[Histogram]) -> Histogram:
    """Of parts that were counted between the same ends."""
    some = next((one for one in parts if one.counts.any()), parts[0])
    return Histogram(np.sum([one.counts for one in parts], 0), some.low, some.high, sum(one.unknown for one in parts))


def histogram(values: np.ndarray, bins: int = BINS, ends: tuple[float, float] | None = None) -> Histogram:
    """Of finite values of any shape, over their range or from end to end, which hold them all.

    Equal values are in the middle bin of a range of width 1.
    """
    line = np.ravel(values)
    known = np.isfinite(line)
    unknown = line.size - int(np.count_nonzero(known))
    line = line[known] if unknown else line
    if not line.size:
        return Histogram(np.zeros(bins, np.int64), 0.0, 0.0, unknown)
    low, high = ends or (float(line.min()), float(line.max()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    place = ((line - low) * (bins / (high - low))).astype(np.int64)
    return Histogram(np.bincount(np.minimum(place, bins - 1), minlength=bins), low, high, unknown)
