"""The numbers of one network that a comparison keeps: of each layer, and which concepts its units detect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .measured_network import MeasuredNetwork
from .unit_changes import layer_likeness

CONVERGED = 0.95
"""Alignment with the last checkpoint from which on a layer has converged."""


class NetworkSummary(NamedTuple):
    """One network; rows are JSON values, None for what can't be said."""

    label: str
    parameters: int
    layers: list[dict[str, Any]]
    """A row for each layer: units, dead units, detectors, unique concepts, and how alike it is to the reference's."""
    concepts: list[dict[str, Any]]
    """A row for each concept that units of a layer detect: layer, category, concept, units, best IoU."""


def summarise(network: MeasuredNetwork, reference: MeasuredNetwork) -> NetworkSummary:
    """Returns the numbers of a network that is compared with another, or with itself."""
    layers, concepts = [], list[dict[str, Any]]()
    for layer in network.layers:
        detected = _concepts(network, layer)
        alike = layer_likeness(network, reference, layer)
        counts: dict[str, int | None] = {"detectors": None, "unique concepts": None}
        if network.findings:
            counts = {"detectors": sum(row["units"] for row in detected), "unique concepts": len(detected)}
        dead = network.features.dead[layer]
        row = {"layer": layer, "units": len(dead), "dead units": int(dead.sum())}
        layers.append(row | counts | alike._asdict())
        concepts += detected
    return NetworkSummary(network.label, network.parameters, layers, concepts)


def _concepts(network: MeasuredNetwork, layer: str) -> list[dict[str, Any]]:
    detectors = [finding for finding in network.findings.get(layer, ()) if finding.is_detector(network.bar)]
    counted = Counter((finding.category, finding.best.concept) for finding in detectors)
    best: dict[tuple[str, str], float] = {}
    for finding in detectors:
        key = finding.category, finding.best.concept
        best[key] = max(best.get(key, 0.0), finding.best.iou)
    return [
        {"layer": layer, "category": category, "concept": concept, "units": count, "best iou": best[category, concept]}
        for (category, concept), count in sorted(counted.items())
    ]


def converged_at(networks: Sequence[NetworkSummary]) -> dict[str, str | None]:
    """Returns by layer the label of the first checkpoint from which on its alignment stays CONVERGED or above.

    networks: the checkpoints of a run in order, compared with the last one. None for a layer whose alignment with
    itself can't be said, as it is constant.
    """
    alike = [{row["layer"]: row["cka"] for row in network.layers} for network in networks]
    found: dict[str, str | None] = {}
    for layer in alike[-1]:
        found[layer] = None
        for network, by_layer in zip(reversed(networks), reversed(alike), strict=True):
            if (cka := by_layer.get(layer)) is None or cka < CONVERGED:
                break
            found[layer] = network.label
    return found
