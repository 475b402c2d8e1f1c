"""Tells from a layer's units which pictures show a concept: logistic regression for all concepts at once."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

STEPS, RATE, DECAY = 300, 0.05, 1e-3
"""Steps and rate of the descent (Adam), and weight of half the squared length of the weights."""


def probe_accuracy(means: np.ndarray, shows: np.ndarray, trained: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Returns (C,) float64: the mean of the shares of held-out pictures with and without each concept that are right.

    means: (n, U) float32, units' masks averaged over positions. shows: (n, C) bool. trained, held_out: numbers of
    pictures. Both kinds of pictures weigh the same in the loss; chance is .5. NaN where all held-out pictures are of
    one kind.
    """
    scale = np.sqrt((means[trained] ** 2).mean(0))
    values = torch.from_numpy(np.where(scale > 0, means / np.where(scale > 0, scale, 1.0), 0.0)).float()
    labels = torch.from_numpy(shows)
    known, own = values[trained], labels[trained].float()
    positive = own.mean(0).clamp(1 / len(own), 1 - 1 / len(own))
    importance = torch.where(own > 0, 0.5 / positive, 0.5 / (1 - positive))
    weights = torch.zeros(values.shape[1], shows.shape[1], requires_grad=True)
    bias = torch.zeros(shows.shape[1], requires_grad=True)
    descent = torch.optim.Adam([weights, bias], RATE)
    for _ in range(STEPS):
        with torch.enable_grad():
            losses = F.binary_cross_entropy_with_logits(known @ weights + bias, own, importance, reduction="none")
            loss = losses.mean(0).sum() + DECAY / 2 * (weights**2).sum()
            descent.zero_grad()
            loss.backward()
        descent.step()
    with torch.no_grad():
        right = ((values[held_out] @ weights + bias > 0) == labels[held_out]).numpy()
    kinds = [np.where(shows[held_out] == kind, right, np.nan) for kind in (False, True)]
    counts = [np.isfinite(kind).sum(0) for kind in kinds]
    shares = [np.nansum(kind, 0) / np.maximum(count, 1) for kind, count in zip(kinds, counts, strict=True)]
    return np.where(np.minimum(*counts) > 0, (shares[0] + shares[1]) / 2, np.nan)
