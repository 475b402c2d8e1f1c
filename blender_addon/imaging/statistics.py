"""Statistics of maps: range, mean, signs, dead channels, non-finite values, histograms. numpy only.

Counts are exact and sums float64; statistics of channels merge into those of their layer. Values are the maps as
recorded, which is before an activation. NaN and infinity are counted separately and excluded from everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps

BINS = 60
"""Bins of a histogram."""


@dataclass(frozen=True)
class Statistics:
    """Statistics of one group of values (fields of shape ()) or of each channel (fields of shape (C,))."""

    count: np.ndarray
    """Number of finite values. Where it is 0, range, mean and deviation are NaN and the shares 0."""
    mean: np.ndarray
    deviation: np.ndarray
    """Standard deviation, normalised by the count."""
    low: np.ndarray
    high: np.ndarray
    zeros: np.ndarray
    """Number of values that are 0."""
    below: np.ndarray
    """Number of values below 0."""
    nan: np.ndarray
    infinite: np.ndarray

    @property
    def share_of_zeros(self) -> np.ndarray:
        """Share of finite values that are 0, 0..1; () or (C,) float64."""
        return self.zeros / np.maximum(self.count, 1)

    @property
    def share_below(self) -> np.ndarray:
        """Share of finite values below 0, 0..1; () or (C,) float64."""
        return self.below / np.maximum(self.count, 1)

    @property
    def sparsity(self) -> np.ndarray:
        """Share of finite values at or below 0, 0..1, which a ReLU would make 0; () or (C,) float64."""
        return (self.zeros + self.below) / np.maximum(self.count, 1)

    @property
    def dead(self) -> np.ndarray:
        """True where no finite value is above 0, so that a ReLU leaves nothing for this input; () or (C,) bool."""
        return ~(self.high > 0)

    @property
    def nonfinite(self) -> np.ndarray:
        """Number of NaN and infinite values; () or (C,) int."""
        return self.nan + self.infinite

    def of(self, channel: int) -> Statistics:
        """Returns the statistics of one channel."""
        return Statistics(*(getattr(self, name)[channel] for name in self.__dataclass_fields__))

    def merged(self) -> Statistics:
        """Merges the statistics of all channels into one group."""
        some = self.count > 0
        count, total = self.count[some], max(int(self.count.sum()), 1)
        mean = (count * self.mean[some]).sum() / total
        squares = (count * (self.deviation[some] ** 2 + (self.mean[some] - mean) ** 2)).sum()
        numbers = [mean, np.sqrt(squares / total), self.low[some].min(initial=np.inf)]
        numbers.append(self.high[some].max(initial=-np.inf))
        merged = [number if len(count) else np.nan for number in numbers]
        counts = [field.sum() for field in (self.zeros, self.below, self.nan, self.infinite)]
        return Statistics(*map(np.asarray, [self.count.sum(), *merged, *counts]))


@dataclass(frozen=True)
class Histogram:
    """Counts of values in equally wide bins from `low` to `high`; the last bin includes `high`."""

    counts: np.ndarray
    """Values in each bin, (bins,) int64."""
    low: float
    high: float
    nonfinite: int
    """Number of NaN and infinite values, which are in no bin."""


def channel_rows(maps: Maps) -> np.ndarray:
    """Returns the values of each channel as rows, (C, n) float64; of colour maps red, green and blue together.

    Transposing first is faster: sums over interleaved channels take five times as long.
    """
    cells = maps.texels.reshape(len(maps.texels), -1, 4)
    if maps.colour:
        return cells[: maps.channels, :, :3].astype(np.float64).reshape(maps.channels, -1)
    turned = cells.transpose(0, 2, 1).astype(np.float64, order="C")
    return turned.reshape(-1, cells.shape[1])[: maps.channels]


def channel_statistics(values: np.ndarray) -> Statistics:
    """Computes the statistics of each row of (C, n) values; see `channel_rows`."""
    finite = np.isfinite(values)
    all_finite = bool(finite.all())

    def filled(gap: np.ndarray | float) -> np.ndarray:
        return values if all_finite else np.where(finite, values, gap)

    count, nan = np.count_nonzero(finite, 1), np.count_nonzero(np.isnan(values), 1)
    divisor, nonfinite, known = np.maximum(count, 1), values.shape[1] - count, filled(0.0)
    mean = known.sum(1) / divisor
    offsets = filled(mean[:, None]) - mean[:, None]
    numbers = (
        mean,
        np.sqrt(np.einsum("cn,cn->c", offsets, offsets) / divisor),
        filled(np.inf).min(1, initial=np.inf),
        filled(-np.inf).max(1, initial=-np.inf),
    )
    mean, deviation, low, high = (np.where(count > 0, number, np.nan) for number in numbers)
    zeros, below = np.count_nonzero(known == 0, 1) - nonfinite, np.count_nonzero(known < 0, 1)
    return Statistics(count, mean, deviation, low, high, zeros, below, nan, nonfinite - nan)


def layer_statistics(maps: Maps) -> Statistics:
    """Computes the statistics of all values of a layer as one group."""
    return channel_statistics(channel_rows(maps)).merged()


def concatenate(parts: Sequence[Statistics]) -> Statistics:
    """Concatenates per-channel statistics in order."""
    return Statistics(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].__dataclass_fields__)
    )


def sum_histograms(parts: Sequence[Histogram]) -> Histogram:
    """Adds histograms that have the same bins."""
    ends = next((part for part in parts if part.counts.any()), parts[0])
    counts = np.sum([part.counts for part in parts], 0)
    return Histogram(counts, ends.low, ends.high, sum(part.nonfinite for part in parts))


def compute_histogram(values: np.ndarray, bins: int = BINS, ends: tuple[float, float] | None = None) -> Histogram:
    """Counts finite values of any shape in bins over their range, or over `ends`, which must contain them all.

    Values that are all equal fall into the middle bin of a range of width 1.
    """
    line = np.ravel(values)
    finite = np.isfinite(line)
    nonfinite = line.size - int(np.count_nonzero(finite))
    line = line[finite] if nonfinite else line
    if not line.size:
        return Histogram(np.zeros(bins, np.int64), 0.0, 0.0, nonfinite)
    low, high = ends or (float(line.min()), float(line.max()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    place = ((line - low) * (bins / (high - low))).astype(np.int64)
    return Histogram(np.bincount(np.minimum(place, bins - 1), minlength=bins), low, high, nonfinite)
