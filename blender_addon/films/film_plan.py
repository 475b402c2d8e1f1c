"""Plans a film: from what a recipe says of its shots to a camera at each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InputError
from ..layout.hall_model import Slot
from ..layout.view import SENSOR
from .camera_track import FASTEST, MOST_FRAMES, SLOWEST, WALKING, CameraTrack
from .film import FADE, Film, Inset, Shot
from .film_hall import FilmHall
from .lighting import FRONT, forward_lighting, lighting_of_one, pass_lighting
from .shots.dollying import answer_track, dolly_track
from .shots.following import follow_tracks, meaning_insets
from .shots.orbiting import orbit_track
from .shots.walking import walk_tracks
from .tile_numbers import TileView

NAMED_WITHIN, NAMED_INSIDE = 7.0, 0.85
"""Metres to the panel that a tour names, at most; share of the picture's width in which its middle is."""
SERIES_SECONDS, POSITION_SECONDS, SPLIT_SECONDS = 8.0, 0.5, 16.0
"""Least seconds of a series, usual seconds of each of its entries, and usual seconds of two halls side by side."""


@dataclass(frozen=True)
class ShotOptions:
    """What is asked of a shot; None where the shot decides itself."""

    kind: str = "tour"
    seconds: float | None = None
    speed: float = WALKING
    """Greatest speed, metres a second."""
    layer: str | None = None
    channel: int | None = None
    title: str = ""
    caption: str = ""
    join: str = "dissolve"
    first: int = 0
    """Of a series: the entry that it begins with."""
    last: int | None = None
    """Of a series: the entry that it ends with; None for the last."""
    beside: int | None = None
    """Of a split shot: which of the second halls is on the right."""
    pictures: Sequence[Recording] = ()
    """Of a shot that follows a channel: recordings with pictures of it."""


def plan_film(hall: FilmHall, entries: Sequence[ShotOptions], plain: Film, beside: Sequence[FilmHall] = ()) -> Film:
    """Returns the film of some shots in a hall.

    plain: a film with the size, rate and all else that isn't of shots. beside: the second halls of split shots. Raises
    InputError or UnknownName.
    """
    shots: list[Shot] = []
    for number, entry in enumerate(entries):
        if entry.speed > FASTEST:
            raise InputError(f"shot {number + 1}: {entry.speed:g} m/s makes people sick; up to {FASTEST:g} is possible")
        if not entry.speed > SLOWEST:
            raise InputError(f"shot {number + 1}: {entry.speed:g} m/s; a speed above {SLOWEST:g} is needed")
        found = plan_shots(hall, entry, plain, beside)
        found[0] = replace(found[0], title=entry.title, caption=entry.caption or found[0].caption, join=entry.join)
        shots += found
        if sum(len(shot.track) for shot in shots) > MOST_FRAMES:
            raise InputError(f"shot {number + 1}: the film has more than {MOST_FRAMES:,} frames; take fewer seconds")
    return replace(plain, shots=shots)


def plan_shots(hall: FilmHall, entry: ShotOptions, film: Film, beside: Sequence[FilmHall] = ()) -> list[Shot]:
    """Returns the shots of an entry: one, or the pieces of a way that is too long. Raises InputError or UnknownName."""
    size, rate, speed, seconds = film.size, film.rate, entry.speed, entry.seconds
    match entry.kind:
        case "tour":
            tracks = walk_tracks(hall, size, rate, speed, seconds, glances=True)
            return [Shot("tour", track, names=_names_of_seen(hall, track)) for track in tracks]
        case "forward":
            return _forward(hall, walk_tracks(hall, size, rate, speed, seconds), rate)
        case "orbit":
            return [_orbit(hall, entry, film)]
        case "dolly" if entry.layer is not None:
            track, shown = dolly_track(hall, size, rate, speed, seconds, entry.layer, entry.channel)
            return [_into_tile("dolly", track, entry.layer, shown)]
        case "dolly":
            return [Shot("dolly", answer_track(hall, size, rate, speed, seconds))]
        case "follow":
            return _follow(hall, entry, film)
        case "series":
            return [_series(hall, entry, film)]
        case "split":
            return [_split(hall, beside, entry, film)]
        case "camera" if hall.own_camera is not None:
            return [_keyed(hall, hall.own_camera, beside, entry)]
    raise InputError(f"a shot of kind {entry.kind} needs the .blend file of a hall whose camera is keyed")


def _forward(hall: FilmHall, tracks: Sequence[CameraTrack], rate: float) -> list[Shot]:
    """Returns walks during which the network's layers light up one after the other, a little before the camera."""
    places = _places(hall)
    return [
        Shot(
            "forward",
            track,
            names=_names(hall, track, FRONT),
            lighting=forward_lighting(places, track, rate, number == 0),
        )
        for number, track in enumerate(tracks)
    ]


def _orbit(hall: FilmHall, entry: ShotOptions, film: Film) -> Shot:
    """Returns a circle before the hall, or before a panel, while all others fade."""
    track = orbit_track(hall, film.size, film.rate, entry.speed, entry.seconds, entry.layer)
    if entry.layer is None:
        return Shot("orbit", track)
    return Shot("orbit", track, lighting=lighting_of_one(entry.layer, [*hall.slots], len(track), FADE, film.rate))


def _into_tile(kind: str, track: CameraTrack, layer: str, shown: TileView, insets: Sequence[Inset] = ()) -> Shot:
    caption = f"{layer}, channel {shown.channel}"
    return Shot(kind, track, caption=caption, numbers=shown.numbers, insets=insets)


def _follow(hall: FilmHall, entry: ShotOptions, film: Film) -> list[Shot]:
    if entry.layer is None:
        raise InputError('a shot that follows a channel needs its layer, such as layer = "layer3.0.conv2"')
    tracks, shown = follow_tracks(hall, film.size, film.rate, entry.speed, entry.seconds, entry.layer, entry.channel)
    shots = [Shot("follow", track, caption=f"from {layer}") for layer, track in tracks[:-1]]
    ids = (entry.layer, hall.layers[hall.slot(entry.layer).index].shows)
    insets = meaning_insets(entry.pictures, ids, shown.channel)
    return [*shots, _into_tile("follow", tracks[-1][1], entry.layer, shown, insets)]


def _series(hall: FilmHall, entry: ShotOptions, film: Film) -> Shot:
    """Returns a shot during which the hall shows one entry of its series after the other."""
    last = hall.positions - 1 if entry.last is None else entry.last
    if not 0 <= entry.first <= last < hall.positions:
        entries = f"a series of {hall.positions} has entries 0 to {hall.positions - 1}"
        raise InputError(f"entries {entry.first} to {last}: {entries}, and first <= last is needed")
    count = last - entry.first + 1
    seconds = entry.seconds or max(SERIES_SECONDS, POSITION_SECONDS * count)
    if entry.layer is None:
        track = answer_track(hall, film.size, film.rate, entry.speed, seconds)
    else:
        ((_, track),) = follow_tracks(hall, film.size, film.rate, entry.speed, seconds, entry.layer, 0)[0][-1:]
    positions = entry.first + np.arange(len(track)) * count // len(track)
    return Shot("series", track, positions=tuple(positions.tolist()))


def _split(hall: FilmHall, halls: Sequence[FilmHall], entry: ShotOptions, film: Film) -> Shot:
    """Returns walks through two halls side by side, which take the same time."""
    if entry.beside is None:
        raise InputError("a split shot needs beside, a second recording")
    both, half = (hall, halls[entry.beside]), (film.size[0] // 2, film.size[1])
    seconds = entry.seconds or SPLIT_SECONDS
    first, second = (_in_step(walk_tracks(each, half, film.rate, entry.speed, seconds)) for each in both)
    count = min(len(first), len(second))
    names = [(each.recording.network.name, each.recording.input_name) for each in both if each.recording]
    sides = [pair[names[0][0] == names[-1][0]] for pair in names] or ["", ""]
    return Shot(
        "split",
        first.part(0, count),
        beside=second.part(0, count),
        second_hall=entry.beside,
        sides=(sides[0], sides[1]),
    )


def _keyed(hall: FilmHall, track: CameraTrack, halls: Sequence[FilmHall], entry: ShotOptions) -> Shot:
    """Returns what a person has keyed: camera, series and light of the pass, and the camera of a hall beside."""
    lighting = pass_lighting(_places(hall), np.array(hall.own_fronts)) if hall.own_fronts else None
    shot = Shot("camera", track, positions=hall.own_positions, lighting=lighting)
    if entry.beside is None:
        return shot
    second = halls[entry.beside].own_camera
    if second is None:
        raise InputError("the camera of the hall beside isn't keyed; key a split shot, and save that hall too")
    count = min(len(track), len(second))
    return replace(shot, track=track.part(0, count), beside=second.part(0, count), second_hall=entry.beside)


def _places(hall: FilmHall) -> dict[str, float]:
    """Returns the y of the posts of all panels, metres, by layer."""
    return {layer: slot.y for layer, slot in hall.slots.items()}


def _in_step(tracks: Sequence[CameraTrack]) -> CameraTrack:
    """Returns tracks as one, with cuts between them."""
    return CameraTrack(
        *(np.concatenate([getattr(track, name) for track in tracks]) for name in ("positions", "angles", "lenses"))
    )


def _names(hall: FilmHall, track: CameraTrack, ahead: float) -> tuple[str, ...]:
    """Returns the layer of the panel so many metres before the camera, with its shape, for each frame."""
    slots, texts = _named_slots(hall)
    posts = np.array([slot.y for slot in slots])
    return tuple(texts[k] for k in np.searchsorted(posts, track.positions[:, 1] + ahead, side="right"))


def _names_of_seen(hall: FilmHall, track: CameraTrack) -> tuple[str, ...]:
    """Returns the layer of the nearest panel in the picture, with its shape, for each frame; never an earlier one."""
    slots, texts = _named_slots(hall)
    yaw, half = track.angles[:, 0], NAMED_INSIDE * SENSOR / 2 / track.lenses
    nearest, named = np.full(len(track), NAMED_WITHIN), np.zeros(len(track), int)
    for number, slot in enumerate(slots, 1):
        right, forward = (slot.corners(hall.layout.yaw(slot)).mean(0) - track.positions[:, :2]).T
        depth, distance = forward * np.cos(yaw) - right * np.sin(yaw), np.hypot(right, forward)
        is_inside = np.abs(right * np.cos(yaw) + forward * np.sin(yaw)) <= half * depth
        is_nearer = is_inside & (distance < nearest)
        nearest[is_nearer], named[is_nearer] = distance[is_nearer], number
    return tuple(texts[k] for k in np.maximum.accumulate(named))


def _named_slots(hall: FilmHall) -> tuple[list[Slot], list[str]]:
    """Returns the panels along the aisle, and what frames say of them, after "" for none."""
    slots = sorted(hall.layout.panels, key=lambda slot: slot.y)
    layers = [hall.layers[slot.index] for slot in slots]
    return slots, ["", *(f"{layer.id}   {' × '.join(map(str, layer.shape))}" for layer in layers)]
