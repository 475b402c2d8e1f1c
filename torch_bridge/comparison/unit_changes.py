"""How two networks differ, layer by layer and unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from .assignment import NOBODY, best_pairs
from .measured_network import MeasuredNetwork
from .similarity import cka_matrix, cosine, direction_changes, linear_cka, rank_changes, unit_correlations

Change = Literal["kept", "changed", "gained", "lost", ""]
"""What became of what a unit detects; "" where it detects nothing in either network, or one of them lacks it."""


class LayerLikeness(NamedTuple):
    """How alike a layer of two networks is: 1 for equal ones; None where it can't be said."""

    cka: float | None
    activations: float | None
    """Cosine of the features."""
    weights: float | None
    """Cosine of the kernels."""


class NetworkPair(NamedTuple):
    """What two networks have in common."""

    before: str
    after: str
    layers: list[str]
    other_layers: list[str]
    similarity: np.ndarray
    """(layers, other layers) float64: `linear_cka`, NaN where a layer is constant."""
    units: list[dict[str, Any]]
    """A row for each unit of the first network, as JSON values; None for what can't be said."""


def layer_likeness(own: MeasuredNetwork, other: MeasuredNetwork, layer: str) -> LayerLikeness:
    """Compares the layer of one id in two networks."""
    if layer not in other.features.rows:
        return LayerLikeness(None, None, None)
    features = own.features.rows[layer], other.features.rows[layer]
    cka = linear_cka(*features)
    same_units = features[0].shape == features[1].shape
    kernels = [network.kernels[layer] for network in (own, other) if layer in network.kernels]
    same_kernels = len(kernels) == 2 and kernels[0].shape == kernels[1].shape
    return LayerLikeness(
        None if np.isnan(cka) else cka,
        cosine(*features) if same_units else None,
        cosine(*kernels) if same_kernels else None,
    )


def compare_pair(before: MeasuredNetwork, after: MeasuredNetwork) -> NetworkPair:
    """Compares all layers of one network with all of another, and each unit with its like."""
    similarity = cka_matrix(before.features.rows, after.features.rows)
    known = np.where(np.isnan(similarity), -1.0, similarity)
    rows: list[dict[str, Any]] = []
    for number, layer in enumerate(before.layers):
        partner = layer if layer in after.features.rows else after.layers[int(known[number].argmax())]
        rows += _unit_rows(before, after, layer, partner)
    return NetworkPair(before.label, after.label, before.layers, after.layers, similarity, rows)


def _unit_rows(before: MeasuredNetwork, after: MeasuredNetwork, layer: str, partner: str) -> Iterator[dict[str, Any]]:
    features, others = before.features.rows[layer], after.features.rows[partner]
    scores = unit_correlations(features, others)
    matched = best_pairs(scores)
    is_same = layer == partner and features.shape == others.shape
    drift = rank_changes(features, others) if is_same else None
    weights = _weight_drift(before, after, layer)
    for unit, like in enumerate(matched.tolist()):
        concept, iou = before.detected(layer, unit)
        later, later_iou = after.detected(layer, unit) if is_same else ("", 0.0)
        yield {
            "layer": layer,
            "unit": unit,
            "weight drift": None if weights is None else float(weights[unit]),
            "activation drift": None if drift is None else float(drift[unit]),
            "concept before": concept,
            "iou before": iou,
            "concept after": later,
            "iou after": later_iou,
            "change": _change(concept, later) if is_same else "",
            "most alike": None if like == NOBODY else f"{partner} {like}",
            "correlation": None if like == NOBODY else float(scores[unit, like]),
            "its concept": "" if like == NOBODY else after.detected(partner, like)[0],
        }


def _weight_drift(before: MeasuredNetwork, after: MeasuredNetwork, layer: str) -> np.ndarray | None:
    """(C,) float64: 1 - cosine of each unit's kernels; None where they can't be compared."""
    kernels = [network.kernels.get(layer) for network in (before, after)]
    if kernels[0] is None or kernels[1] is None or kernels[0].shape != kernels[1].shape:
        return None
    return direction_changes(kernels[0], kernels[1])


def _change(before: str, after: str) -> Change:
    if before == after:
        return "kept" if before else ""
    return "changed" if before and after else "lost" if before else "gained"
