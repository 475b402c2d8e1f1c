"""Statistics of a layer's weights: numbers and a histogram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from torch import nn

from ..capture.layer_paths import modules_by_path

BINS = 64


def compute_weight_statistics(
    model: nn.Module, layers: Iterable[str]
) -> Iterator[tuple[str, tuple[dict[str, float], np.ndarray]]]:
    """Yield (id, (statistics, histogram)) of each layer that has a weight of its own.

    The histogram is (BINS,) int64, from the smallest weight to the largest; equal weights are counted in the middle.
    """
    modules = modules_by_path(model)
    for id in layers:
        module = modules.get(id.split("@")[0], nn.Identity())
        weight = dict(module.named_parameters(recurse=False)).get("weight")
        if weight is not None and weight.numel():
            yield id, _statistics(weight.detach().float().cpu().numpy().reshape(-1))


def _statistics(values: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {"count": 0}, np.zeros(BINS, np.int64)
    counts, _ = np.histogram(finite.astype(np.float64), BINS)
    statistics = {
        "count": int(values.size),
        "mean": float(finite.mean(dtype=np.float64)),
        "deviation": float(finite.std(dtype=np.float64)),
        "least": float(finite.min()),
        "most": float(finite.max()),
        "zeros": float((finite == 0).mean()),
    }
    return statistics, counts.astype(np.int64)
