"""Follows one channel: the panels that it is computed from, its tile, and pictures of what it means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....torch_bridge.recording import Maps, Recording
from ....torch_bridge.recording.errors import InputError
from ...imaging.heat_map import overlay_heat
from ..camera_track import CameraLimits, CameraTrack, Pose, plan_track
from ..film import Inset
from ..film_hall import FilmHall
from ..tile_numbers import TileView
from .dollying import dolly_track, reading_pose
from .walking import DIMENSIONS

SOURCE_SECONDS, MOST_SOURCES = 3.5, 2
"""Seconds at each panel that a channel comes from; such panels at most."""
PUSH = 0.12
"""Share of the way to a panel that the camera goes meanwhile."""
MOST_INSETS = 3
"""Pictures of what a channel means, at most."""


def follow_tracks(
    hall: FilmHall, size: DIMENSIONS, rate: float, speed: float, seconds: float | None, layer: str, channel: int | None
) -> tuple[list[tuple[str, CameraTrack]], TileView]:
    """Returns a track before each source, with the source's layer, then the way into the tile, and what it shows.

    Raises UnknownName.
    """
    slot = hall.slot(layer)
    sources = hall.sources(slot)[:MOST_SOURCES][::-1]
    each = SOURCE_SECONDS if seconds is None else min(SOURCE_SECONDS, seconds / (2 * len(sources) + 1))
    tracks = []
    for source in sources:
        start = reading_pose(hall, source, size)
        step = PUSH * np.subtract(start.target, start.position)
        x, y, z = np.add(start.position, step).tolist()
        end = Pose((x, y, z), start.target, start.lens)
        tracks.append((hall.name(source), plan_track([start, end], rate, CameraLimits(speed), each)))
    rest = None if seconds is None else seconds - each * len(sources)
    track, shown = dolly_track(hall, size, rate, speed, rest, layer, channel)
    return [*tracks, (layer, track)], shown


def meaning_insets(recordings: Sequence[Recording], ids: tuple[str, str], channel: int) -> list[Inset]:
    """Returns pictures of a layer's channel: made pictures and real ones as they are, heat over the input.

    ids: of the layer, and of the one whose maps its panel shows. Raises InputError for a recording that has none of the
    channel, and for more than MOST_INSETS.
    """
    if len(recordings) > MOST_INSETS:
        raise InputError(f"{len(recordings)} recordings of pictures; there is room for {MOST_INSETS}")
    found = []
    for number, recording in enumerate(recordings, 1):
        fits = [
            maps
            for (name, _), maps in recording.all_maps.items()
            if name in ids and channel in maps.numbers and (maps.colour or maps.frame == "input")
        ]
        if not fits:
            raise InputError(f"pictures {number}: none of channel {channel} of {ids[0]}; innerwalk ask makes some")
        maps = fits[0]
        found.append(Inset(maps.method.replace("_", " "), _pixels(maps, channel, recording.picture)))
    return found


def _pixels(maps: Maps, channel: int, picture: np.ndarray) -> np.ndarray:
    """Returns a map as (H, W, 3) uint8 sRGB; one of evidence lies over the picture (H, W, 3) uint8."""
    place = maps.index(channel)
    if not maps.colour:
        return overlay_heat(picture, maps.data[place], float(maps.peak[place]))
    return np.rint(255 * np.clip(np.nan_to_num(maps.data[place]), 0, 1)).astype(np.uint8)
