"""How alike two layers, or two units, are, from what they give for the same pictures.

Features are (n, C) float32: a row for each part of each picture, a column for each unit.
"""

from __future__ import annotations

import numpy as np

from ..attribution.rank_correlation import mean_ranks


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the linear centred kernel alignment of features (n, C) and (n, D), 0..1 (Kornblith et al. 2019).

    |Yᵀ X|² / (|Xᵀ X| |Yᵀ Y|) of centred features, with Frobenius norms: it doesn't change if units are permuted,
    rotated or all scaled. 1 for equal features, NaN where one of two different ones is constant.
    """
    if first.shape == second.shape and np.array_equal(first, second):
        return 1.0
    return _alignment(_unit_scaled(first), _unit_scaled(second))


def cka_matrix(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> np.ndarray:
    """Returns `linear_cka` of each layer of a network with each of another: (layers, other layers) float64.

    first, second: features (n, C) by layer.
    """
    others = [_unit_scaled(features) for features in second.values()]
    rows = []
    for features in first.values():
        own = _unit_scaled(features)
        rows.append([_alignment(own, other) for other in others])
    return np.array(rows, np.float64).reshape(len(first), len(second))


def _unit_scaled(features: np.ndarray) -> np.ndarray:
    """(n, C) float32: centred, and divided by the root of its own alignment; NaN for constant features."""
    centred = features - features.mean(0, dtype=np.float64)
    own = np.linalg.norm(centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T)
    scaled = centred / np.sqrt(own) if own > 0 else np.full_like(centred, np.nan)
    return scaled.astype(np.float32)


def _alignment(first: np.ndarray, second: np.ndarray) -> float:
    return min(float(np.square(second.T @ first).sum(dtype=np.float64)), 1.0)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the cosine of two arrays of any shape, the same for both, taken as vectors, -1..1."""
    return 1.0 - float(direction_changes(first.reshape(-1, 1), second.reshape(-1, 1))[0])


def direction_changes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns 1 - cosine of each column of (n, C) arrays: (C,) float64, 0..2; exactly 0 for equal columns.

    It is computed as half the squared distance of unit vectors, which is precise for small changes. A column of zeros
    differs from any other by 1.
    """
    lengths = [np.linalg.norm(columns.astype(np.float64), axis=0) for columns in (first, second)]
    units = [
        columns / np.where(length > 0, length, 1.0) for columns, length in zip((first, second), lengths, strict=True)
    ]
    return np.where((lengths[0] > 0) == (lengths[1] > 0), np.square(units[0] - units[1]).sum(0) / 2, 1.0)


def rank_changes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns 1 - Spearman's rank correlation of each unit of (n, C) features: (C,) float64, 0..2.

    Two constant units are equal, a constant one differs from any other by 1.
    """
    return direction_changes(*(_centred_ranks(features) for features in (first, second)))


def _centred_ranks(features: np.ndarray) -> np.ndarray:
    ranks = np.stack([mean_ranks(column) for column in features.T], 1)
    return ranks - ranks.mean(0)


def unit_correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the correlation of each unit of (n, C) features with each of (n, D): (C, D), 0 for constant ones."""
    scaled = []
    for features in (first, second):
        centred = features - features.mean(0, dtype=np.float64)
        length = np.linalg.norm(centred, axis=0)
        scaled.append(centred / np.where(length > 0, length, np.inf))
    found: np.ndarray = scaled[0].T @ scaled[1]
    return found
