"""The hall that a film is shot in: its plan, its network, and how far everything is from a camera."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...torch_bridge.recording import Layer, Recording
from ...torch_bridge.recording.errors import UnknownName
from ..layout.boards import Board, answer_boards, upright_axes
from ..layout.hall_model import HallLayout, Slot
from .camera_track import CameraTrack


@dataclass(frozen=True)
class FilmHall:
    """A hall to walk, as `layout.lay_out` plans it."""

    layout: HallLayout
    layers: Sequence[Layer]
    """A slot's index counts in them."""
    links: Sequence[tuple[int, int]] = ()
    """Data flow between layers, by their positions."""
    recording: Recording | None = None
    """Where the numbers of tiles come from; None for a plan alone."""
    method: str = "activations"
    """The method whose maps the panels show."""
    colour_map: str = "signed"
    gain: float = 1.0
    positions: int = 1
    """Entries of the series that the hall can show."""
    own_camera: CameraTrack | None = None
    """The camera that a person has keyed."""
    own_positions: Sequence[int] = ()
    """The entry of the series that a person has keyed for each of its frames."""
    own_fronts: Sequence[float] = ()
    """How far the light of a pass has come at each of its frames, y in metres; () where all is lit."""

    @cached_property
    def slots(self) -> dict[str, Slot]:
        """Slots of panels by their layers' ids, in order."""
        return {self.layers[slot.index].id: slot for slot in self.layout.panels}

    @property
    def x(self) -> float:
        """World x of the aisle's middle, metres."""
        return self.layout.wings[0].x

    @property
    def answers(self) -> list[Board]:
        """The boards at the end of the aisle."""
        return answer_boards(self.layout)

    def slot(self, layer: str) -> Slot:
        """Returns the slot of a layer's panel. Raises UnknownName, which names near matches."""
        if layer not in self.slots:
            raise UnknownName("panel of layer", layer, self.slots)
        return self.slots[layer]

    def name(self, slot: Slot) -> str:
        """Returns the id of a slot's layer."""
        return self.layers[slot.index].id

    def sources(self, slot: Slot) -> list[Slot]:
        """Returns the panels whose values a panel is made of, through joints too; nearest first."""
        by_index = {each.index: each for each in self.layout.slots}
        before: dict[int, list[int]] = defaultdict(list)
        for source, target in self.links:
            before[target].append(source)
        found: dict[int, Slot] = {}
        waiting, seen = [slot.index], {slot.index}
        while waiting:
            for source in before[waiting.pop()]:
                if source in seen:
                    continue
                seen.add(source)
                if source in by_index and by_index[source].side:
                    found[source] = by_index[source]
                else:
                    waiting.append(source)
        return sorted(found.values(), key=lambda each: -each.index)


def panel_corners(layout: HallLayout, slot: Slot) -> np.ndarray:
    """Returns the corners of a panel, (4, 3) float64 metres."""
    feet = slot.corners(layout.yaw(slot))
    return np.array([(*foot, z) for foot in feet for z in (slot.bottom, slot.top)])


def panel_distances(layout: HallLayout, points: np.ndarray) -> np.ndarray:
    """Returns how far points (n, 3) are from the nearest panel of a hall, (n,) float64 metres."""
    points = np.asarray(points, np.float64)
    least = np.full(len(points), np.inf)
    for slot in layout.panels:
        yaw = layout.yaw(slot)
        right, up = upright_axes(yaw)
        across, upwards = slot.width, slot.height
        local = points - np.append(slot.corners(yaw)[0], slot.bottom)
        over = [local @ axis - np.clip(local @ axis, 0, size) for axis, size in ((right, across), (up, upwards))]
        least = np.minimum(least, np.linalg.norm([*over, local @ np.cross(right, up)], axis=0))
    return least
