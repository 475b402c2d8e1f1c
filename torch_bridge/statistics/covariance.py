"""How channels go together: means and products of what differs from them, summed over places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Covariance:
    """Of C channels over a number of places. Merged by the formula of Chan, Golub and LeVeque 1979."""

    count: int
    mean: np.ndarray
    """(C,) float64."""
    products: np.ndarray
    """(C, C) float64: sums over places of the products of what two channels differ from their means."""

    @classmethod
    def of(cls, values: np.ndarray) -> Covariance:
        """Of (n, C) values."""
        values = values.astype(np.float64)
        mean = values.mean(0)
        values -= mean
        return cls(len(values), mean, values.T @ values)

    def merged(self, other: Covariance) -> Covariance:
        """Over the places of both."""
        count, apart = self.count + other.count, other.mean - self.mean
        shift = np.outer(apart, apart * (self.count * other.count / count))
        return Covariance(count, self.mean + apart * (other.count / count), self.products + other.products + shift)

    @property
    def deviation(self) -> np.ndarray:
        """(C,) standard deviations."""
        return np.sqrt(np.diagonal(self.products) / self.count)

    def correlations(self) -> np.ndarray:
        """(C, C) -1..1; 0 for a channel that is the same everywhere."""
        scale = np.sqrt(np.diagonal(self.products))
        scale = np.where(scale > 0, scale, np.inf)
        return self.products / np.outer(scale, scale)
