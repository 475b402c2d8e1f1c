"""Which unit of one layer corresponds to which of another: the pairs with the highest sum of scores."""

from __future__ import annotations

import numpy as np

NOBODY = -1
"""Stands for the partner of a unit that has none."""


def best_pairs(scores: np.ndarray) -> np.ndarray:
    """Pairs rows with columns so that the sum of their scores is as high as it can be: the Hungarian method.

    scores: (C, D) finite numbers. Returns (C,) int64, the column of each row, each once; NOBODY for rows that are left
    over where D is smaller than C. Kuhn 1955, with shortest augmenting paths (Jonker and Volgenant 1987).
    """
    rows, columns = scores.shape
    if rows > columns:
        found = np.full(rows, NOBODY, np.int64)
        found[best_pairs(scores.T)] = np.arange(columns)
        return found
    owners = np.full(columns + 1, NOBODY, np.int64)  # the row of each column; the last column is a start for paths
    costs = -scores.astype(np.float64)
    row_prices, column_prices = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        _add_row(row, costs, owners, row_prices, column_prices)
    found = np.empty(rows, np.int64)
    found[owners[:-1][owners[:-1] != NOBODY]] = np.flatnonzero(owners[:-1] != NOBODY)
    return found


def _add_row(
    row: int, costs: np.ndarray, owners: np.ndarray, row_prices: np.ndarray, column_prices: np.ndarray
) -> None:
    """Pairs one more row, and changes the pairs along the cheapest path to a free column."""
    columns = costs.shape[1]
    distances, before = np.full(columns, np.inf), np.full(columns, columns)
    reached = np.zeros(columns + 1, bool)
    owners[columns], column = row, columns
    while owners[column] != NOBODY:
        reached[column] = True
        own = owners[column]
        steps = costs[own] - row_prices[own] - column_prices[:-1]
        nearer = ~reached[:-1] & (steps < distances)
        distances[nearer], before[nearer] = steps[nearer], column
        nearest = int(np.argmin(np.where(reached[:-1], np.inf, distances)))
        length = distances[nearest]
        row_prices[owners[reached]] += length
        column_prices[reached] -= length
        distances[~reached[:-1]] -= length
        column = nearest
    while column != columns:
        previous = before[column]
        owners[column], column = owners[previous], previous
