"""Words: names of layers, which of them fit, and their place in the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from ..torch_bridge.recording import Layer
from .blocks import module_path

MONO = 0.43
"""Advance of a character of the monospaced font, as a share of its `size`."""
SANS = 0.60
"""Most that a character of the other font advances on average, as a share of its `size`."""
CAP = 0.72
"""Height of a capital as a share of `size`."""
SHARED = 0.4
"""A last part of a path that more panels than this share have says nothing."""


def common_tails(layers: Sequence[Layer]) -> set[str]:
    """Last parts of paths that more than 40 % of the panels share, such as `conv`."""
    tails = [module_path(layer.id).split(".")[-1] for layer in layers if layer.role == "panel" and ":" not in layer.id]
    return {tail for tail, count in Counter(tails).items() if count > SHARED * len(tails)}


def names(layer: Layer, common: Collection[str] = ()) -> list[str]:
    """Longest first: the path, then its tails, none a bare number. A sum ends with `+`."""
    parts, plus = module_path(layer.id).split("."), " +" if layer.id.split("@")[0].endswith(":add") else ""
    if parts[-1] in common and len(parts) > 1:
        parts = parts[:-1]
    tails = [parts[k:] for k in range(len(parts)) if not parts[-1].isdigit() or len(parts) - k > 1]
    return [".".join(tail) + plus for tail in tails] or [layer.id]


def strongest(maps: np.ndarray, count: int) -> np.ndarray:
    """(count,) channels of a digest in channel order: largest 97 % quantile of the positive part over mean |value|.

    `maps`: (C, H, W) float32; NaN and Inf count as 0.
    """
    flat = np.nan_to_num(maps.reshape(len(maps), -1), nan=0.0, posinf=0.0, neginf=0.0)
    strength = np.quantile(np.maximum(flat, 0), 0.97, 1) / (np.abs(flat).mean(1) + 1e-6)
    return np.sort(np.argsort(-strength, kind="stable")[:count])
