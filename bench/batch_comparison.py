"""Compares what is recorded of an input of a batch with what is recorded of the same input alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..torch_bridge import Recording
from ..torch_bridge.capture.trace.run import DIFFERS, MIXED
from ..torch_bridge.recording import Layer

TOLERANCE = 1e-4
"""Largest difference between an input alone and in a batch, as a share of the layer's largest value."""
DOUBTS = ("unknown origin", "item ", "changed in place", "can't be drawn", "no attention map", "assumed")
"""Parts of notes that say that a layer may not show what it seems to show."""
OTHER_INPUT = "of input "
"""Note of layers that belong to another input of a list."""


@dataclass
class BatchComparison:
    """What two recordings of one input differ in, as ids of layers."""

    wrong: list[str] = field(default_factory=list)
    """Layers of another role, shape or value, and in what they differ."""
    doubtful: list[str] = field(default_factory=list)
    """Layers whose notes have doubts."""
    mixing: list[str] = field(default_factory=list)
    """Layers that depend on the other inputs, by their notes, and aren't compared."""
    following: list[str] = field(default_factory=list)
    """Layers after these with another value: the network itself gives them one."""


def compare_batch(alone: Recording, batched: Recording, listed: bool) -> BatchComparison:
    """Compares the recording of an input alone with that of the input in a batch.

    listed: whether the batch is a list, for each item of which some layers run anew; those of other items are left out.
    """
    found, others = BatchComparison(), batched.network.by_id
    layers = alone.network.layers
    if not listed and [layer.id for layer in layers] != [*others]:
        found.wrong.append(f"batch: {len(layers)} layers alone, {len(others)} in a batch")
    sources: dict[str, list[str]] = {}
    for edge in alone.network.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    affected: set[str] = set()
    for layer in layers:
        other = others.get(layer.id)
        if any(source in affected for source in sources.get(layer.id, ())):
            affected.add(layer.id)
        if other is None or OTHER_INPUT in other.note:
            continue
        if DIFFERS in other.note or MIXED in other.note:
            found.mixing.append(layer.id)
            affected.add(layer.id)
        elif is_doubtful(layer) or is_doubtful(other):
            found.doubtful.append(layer.id)
        elif difference := _difference(layer, other) or _different_values(layer, alone, batched):
            in_values = not _difference(layer, other)
            (found.following if in_values and layer.id in affected else found.wrong).append(difference)
    return found


def is_doubtful(layer: Layer) -> bool:
    """Whether a layer's note has doubts."""
    return any(doubt in layer.note for doubt in DOUBTS)


def _difference(layer: Layer, other: Layer) -> str:
    if layer.role != other.role:
        return f"batch role: {layer.id} is {layer.role} alone, {other.role} in a batch"
    if (layer.shape, layer.map_shape) != (other.shape, other.map_shape):
        return f"batch shape: {layer.id} {layer.shape} {layer.map_shape}, {other.shape} {other.map_shape} in a batch"
    return ""


def _different_values(layer: Layer, alone: Recording, batched: Recording) -> str:
    if layer.role == "output" or 0 in layer.map_shape:
        return ""
    a, b = alone.maps(layer.id).data, batched.maps(layer.id).data
    peak = float(np.abs(a).max(initial=1e-9))
    if np.allclose(a, b, rtol=0, atol=TOLERANCE * peak, equal_nan=True):
        return ""
    return f"batch values: {layer.id} {layer.shape} differ by {np.abs(a - b).max() / peak:.2g}"
