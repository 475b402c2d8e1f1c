"""How bright the maps of layers are during a shot, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .camera_track import CameraTrack

FRONT, WIDTH, FRONT_SPEED = 7.0, 1.6, 3.0
"""Metres that the pass through the network is before the camera, and over which it lights a panel up; its greatest
speed while the camera still rests, metres a second."""
DARK, BESIDE = 0.02, 0.25
"""Brightness of maps that the pass hasn't reached, and of those around a panel that a shot is about."""


@dataclass(frozen=True)
class Lighting:
    """Light that comes to panels one after the other, or leaves all of them together."""

    fronts: np.ndarray
    """(n,) float64: for each frame, how far the light has come, in the units of `places`."""
    places: Mapping[str, float]
    """Where it reaches each layer; others are as bright as ever."""
    width: float
    """How far it goes while a layer becomes bright."""
    dark: float
    """Brightness before."""

    def at(self, frame: int) -> dict[str, float]:
        """Returns the brightness of layers that aren't wholly bright at a frame, above 0 and below 1."""
        front, found = float(self.fronts[frame]), {}
        for layer, place in self.places.items():
            share = min(max((front - place) / self.width, 0.0), 1.0)
            if share < 1:
                found[layer] = self.dark ** (1 - share * share * (3 - 2 * share))
        return found


def forward_lighting(places: Mapping[str, float], track: CameraTrack, rate: float, starts: bool) -> Lighting:
    """Returns the light of a pass through the network, a little before a camera along the aisle.

    places: y of layers' posts. rate: frames a second. starts: whether the pass begins with the track.
    """
    ahead = track.positions[:, 1] + FRONT
    if starts:
        start = min(places.values()) - WIDTH
        ahead = np.minimum(np.maximum(ahead, start), start + np.arange(len(track)) * FRONT_SPEED / rate)
    return pass_lighting(places, ahead)


def pass_lighting(places: Mapping[str, float], fronts: np.ndarray) -> Lighting:
    """Returns the light of a pass that has come as far as `fronts` (n,) say; y of the layers' posts, and of these."""
    return Lighting(fronts, places, WIDTH, DARK)


def lighting_of_one(layer: str, layers: Sequence[str], count: int, seconds: float, rate: float) -> Lighting:
    """Returns the light of `count` frames in which all layers but one fade, from `seconds` on and as long."""
    gone = 2.0 - np.arange(count) / (seconds * rate)
    return Lighting(gone, dict.fromkeys([each for each in layers if each != layer], 0.0), 1.0, BESIDE)
