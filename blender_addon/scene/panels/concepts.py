"""The concepts that channels detect, kept on their panel after Network Dissection while it shows other maps."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import NamedTuple

import bpy
import numpy as np

from ....torch_bridge.recording import CATEGORY, Maps
from ....torch_bridge.recording.files import parse_json
from ...properties import DISSECTION_METHODS, PANEL_CONCEPTS


class DetectedConcept(NamedTuple):
    """What a channel detects."""

    name: str
    iou: float
    """Intersection over union of the channel's mask and the concept, 0..1."""
    category: str
    """Such as colour or part, "" where it isn't known."""

    @property
    def label(self) -> str:
        """Concept and IoU as on tiles, such as "ring .31"."""
        return f"{self.name} {self.iou:.2f}".replace(" 0.", " .")

    @property
    def text(self) -> str:
        """The same with the category, such as "ring .31 (shape)"."""
        return f"{self.label} ({self.category})" if self.category else self.label


def keep_concepts(panel: bpy.types.Object, maps: Maps) -> None:
    """Stores what the channels of maps detect, if Network Dissection has made them; others keep what they have."""
    overlaps = maps.extras.get("values")
    if maps.method not in DISSECTION_METHODS or not maps.labels or overlaps is None:
        return
    names = next((chart.series for chart in maps.charts if chart.series_axis == CATEGORY), ())
    places = np.asarray(maps.extras.get(CATEGORY, np.zeros(len(maps.labels)))).astype(int).tolist()
    known = read_concepts(panel).copy()
    for channel, label, iou, place in zip(maps.numbers, maps.labels, overlaps.tolist(), places, strict=True):
        known.pop(channel, None)
        if label:
            name = label.rpartition(" ")[0] or label
            known[channel] = DetectedConcept(name, iou, names[place - 1] if 0 < place <= len(names) else "")
    _write(panel, known)


def read_concepts(panel: bpy.types.Object) -> dict[int, DetectedConcept]:
    """Returns what the channels of a panel detect, by number; {} where that is unknown or damaged."""
    return _from_json(str(panel.get(PANEL_CONCEPTS, "")))


def forget_concepts(panel: bpy.types.Object) -> None:
    """Forgets what the channels of a panel detect, as when other weights take their place."""
    panel.pop(PANEL_CONCEPTS, None)


def _write(panel: bpy.types.Object, known: dict[int, DetectedConcept]) -> None:
    rows = [(channel, *known[channel]) for channel in sorted(known)]
    panel[PANEL_CONCEPTS] = json.dumps(rows, ensure_ascii=False)


@lru_cache(maxsize=256)
def _from_json(text: str) -> dict[int, DetectedConcept]:
    try:
        rows = [(int(k), str(name), float(iou), str(category)) for k, name, iou, category in parse_json(text)]
    except (ValueError, TypeError, OverflowError):
        return {}
    return {row[0]: DetectedConcept(*row[1:]) for row in rows if row[0] >= 0 and math.isfinite(row[2])}
