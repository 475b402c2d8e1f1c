"""Statistics of a layer's weights: numbers and a histogram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from torch import nn

BINS = 64


def weight_statistics(model: nn.Module, layers: Iterable[str]) -> Iterator[tuple[str, tuple[dict[str, float], np.ndarray]]]:
    """(id, (numbers, counts (BINS,) int64 from least to most)) of each layer that has a weight of its own.

    Values that are all equal are counted in the middle.
    """
    modules = dict(model.named_modules())
    for id in layers:
        weight = getattr(modules.get(id.split("@")[0]), "weight", None)
        if isinstance(weight, nn.Parameter) and weight.numel():
            yield id, _numbers(weight.detach().float().cpu().numpy().reshape(-1))


def _numbers(values: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    known = values[np.isfinite(values)]
    if not known.size:
        return {"count": 0}, np.zeros(BINS, np.int64)
    counts, _ = np.histogram(known.astype(np.float64), BINS)
    told = {
        "count": int(values.size), "mean": float(known.mean(dtype=np.float64)),
        "deviation": float(known.std(dtype=np.float64)), "least": float(known.min()), "most": float(known.max()),
        "zeros": float((known == 0).mean()),
    }  # fmt: skip
    return told, counts.astype(np.int64)
