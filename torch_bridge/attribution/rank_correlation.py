"""Spearman's rank correlation of two heat maps."""

from __future__ import annotations

import numpy as np


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Correlates the ranks of two arrays of the same shape, -1..1; equal values share their mean rank.

    0 where one of them is constant, as nothing in it can be compared.
    """
    ranks = [mean_ranks(values.ravel()) for values in (first, second)]
    centred = [values - values.mean() for values in ranks]
    size = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum()) / size if size else 0.0


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Returns the ranks of (n,) values, from 0: (n,) float64; equal values share their mean rank."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: np.ndarray = (np.cumsum(counts) - (counts + 1) / 2)[group]
    return means
