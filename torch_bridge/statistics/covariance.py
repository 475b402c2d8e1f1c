"""The covariance of channels over positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Covariance:
    """Means and co-moments of C channels; merged by the formula of Chan, Golub and LeVeque 1979."""

    count: int
    """Number of positions."""
    mean: np.ndarray
    """(C,) float64."""
    products: np.ndarray
    """(C, C) float64: sums over positions of the products of two channels' deviations from their means."""

    @classmethod
    def of(cls, values: np.ndarray) -> Covariance:
        """Returns the covariance of values (n, C), one row a position."""
        values = values.astype(np.float64)
        mean = values.mean(0)
        values -= mean
        return cls(len(values), mean, values.T @ values)

    def merged(self, other: Covariance) -> Covariance:
        """Returns the covariance over the positions of both."""
        count, difference = self.count + other.count, other.mean - self.mean
        shift = np.outer(difference, difference * (self.count * other.count / count))
        mean = self.mean + difference * (other.count / count)
        return Covariance(count, mean, self.products + other.products + shift)

    @property
    def deviation(self) -> np.ndarray:
        """(C,) float64: standard deviations."""
        return np.sqrt(np.diagonal(self.products) / self.count)

    def correlations(self) -> np.ndarray:
        """Returns the correlations of all pairs of channels: (C, C) float64, -1..1; 0 for a constant channel."""
        scale = np.sqrt(np.diagonal(self.products))
        scale = np.where(scale > 0, scale, np.inf)
        return self.products / np.outer(scale, scale)
