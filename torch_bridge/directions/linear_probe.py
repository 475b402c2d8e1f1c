"""Linear probes: which direction in a layer's values tells two kinds of pictures apart, and how well.

Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes". Logistic regression with a
penalty on the squared length of the weights, in values scaled so that their mean squared distance from the mean is 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PENALTY = 0.1
"""Weight of half the squared length, beside the sum of the pictures' losses."""
FOLDS = 5
MAX_NEWTON_STEPS, SMALLEST_STEP = 50, 1e-9


@dataclass(frozen=True)
class LinearProbe:
    """A direction, and where along it the two kinds meet."""

    direction: np.ndarray
    """(C,) float64 of length 1; it points to the pictures that are labelled true."""
    threshold: float
    """Projection at which both kinds are equally probable, in units of the layer."""


class ProbeFit:
    """Fits probes to different labels of the same pictures, whose principal axes are computed once."""

    def __init__(self, values: np.ndarray) -> None:
        """values: (n, C) float64, a picture a row."""
        self.mean = values.mean(0)
        centred = values - self.mean
        self.scale = math.sqrt(float((centred**2).sum(1).mean()))
        """0 if all pictures have the same values."""
        left, lengths, self.axes = np.linalg.svd(centred / (self.scale or 1.0), full_matrices=False)
        self.coordinates = left * lengths

    def probe(self, labels: np.ndarray) -> LinearProbe:
        """Fits a probe to labels (n,) bool."""
        weights, bias = fit_logistic(self.coordinates, labels)
        raw = weights @ self.axes / (self.scale or 1.0)
        length = max(float(np.linalg.norm(raw)), 1e-300)
        return LinearProbe(raw / length, float((raw @ self.mean - bias) / length))

    def held_out_correct(self, labels: np.ndarray, random: np.random.Generator) -> int:
        """Returns how many pictures are classified correctly by probes fitted without them; labels: (n,) bool.

        The pictures are divided into FOLDS parts at random, with the same share of both kinds in each.
        """
        fold, correct = np.empty(len(labels), int), 0
        for kind in (False, True):
            rows = np.flatnonzero(labels == kind)
            fold[random.permutation(rows)] = np.arange(len(rows)) % FOLDS
        for number in range(FOLDS):
            rest = fold != number
            weights, bias = fit_logistic(self.coordinates[rest], labels[rest])
            answers = self.coordinates[~rest] @ weights + bias > 0
            correct += int((answers == labels[~rest]).sum())
        return correct


def fit_logistic(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Minimises sum(log(1 + exp(-y (w x + b)))) + PENALTY / 2 |w|^2 by Newton's method; returns w (r,) and b.

    values: x (n, r) float64. labels: (n,) bool, y = 1 or -1.
    """
    design = np.column_stack([values, np.ones(len(values))])
    penalty = np.full(design.shape[1], PENALTY)
    penalty[-1] = 1e-9  # the bias is free
    signs, weights = np.where(labels, 1.0, -1.0), np.zeros(design.shape[1])

    def loss(candidate: np.ndarray) -> float:
        return float(np.logaddexp(0, -signs * (design @ candidate)).sum() + (penalty * candidate**2).sum() / 2)

    best = loss(weights)
    for _ in range(MAX_NEWTON_STEPS):
        wrong = 1 / (1 + np.exp(np.clip(signs * (design @ weights), -500, 500)))
        gradient = penalty * weights - design.T @ (signs * wrong)
        curvature = (design.T * (wrong * (1 - wrong))) @ design + np.diag(penalty)
        move, share = np.linalg.solve(curvature, gradient), 1.0
        while (reached := loss(weights - share * move)) > best and share > SMALLEST_STEP:
            share /= 2
        if reached > best:
            break
        weights, gained, best = weights - share * move, best - reached, reached
        if gained <= 1e-12 * max(best, 1.0):
            break
    return weights[:-1], float(weights[-1])


def chance_probability(correct: int, count: int) -> float:
    """Returns how probable at least so many right answers of `count` are for fair coins (binomial test)."""
    return sum(math.comb(count, number) for number in range(correct, count + 1)) / 2**count
