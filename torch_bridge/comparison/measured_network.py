"""What is measured of one network before it is compared with another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..dissection.findings import BAR, UnitFinding
from .features import LayerFeatures


@dataclass(frozen=True)
class MeasuredNetwork:
    """One network: what its layers give for the probe pictures, its weights, and what its units detect."""

    label: str
    parameters: int
    features: LayerFeatures
    kernels: Mapping[str, np.ndarray] = field(default_factory=dict)
    """By layer the weights that lead to each unit, (n, C) float32; layers without weights have none."""
    findings: Mapping[str, list[UnitFinding]] = field(default_factory=dict)
    """By layer, in the order of the units; {} where the pixels of the pictures have no labels."""
    bar: float = BAR
    """IoU from which on a unit is a detector."""

    @property
    def layers(self) -> list[str]:
        """Ids of its layers, in order."""
        return list(self.features.rows)

    def detected(self, layer: str, unit: int) -> tuple[str, float]:
        """Returns what a unit detects, and the IoU: ("", 0.0) for one that is no detector."""
        finding = self.findings[layer][unit] if layer in self.findings else None
        return (finding.best.concept, finding.best.iou) if finding and finding.is_detector(self.bar) else ("", 0.0)
