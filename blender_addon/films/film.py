"""A film as data: its shots with a camera at each frame, and what is drawn over the frames. Pure: no rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Literal

import numpy as np

from ..layout.view import View
from .camera_track import CameraTrack
from .lighting import Lighting
from .tile_numbers import TileNumbers

FADE = 0.6
"""Seconds in which words appear and vanish."""
TITLE = 11.0
"""How many times as long as it fades a title is there, at most."""
SHOT_KINDS = ("tour", "forward", "orbit", "dolly", "follow", "series", "split", "camera")
JOINS = ("cut", "dissolve")
FILM_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".webp", ".gif", "")
"""How the name of a film's file ends; without an ending, it is a folder of PNG files."""


@dataclass(frozen=True)
class Inset:
    """A picture that is drawn into a corner of frames."""

    caption: str
    pixels: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""


@dataclass(frozen=True)
class FilmWord:
    """A line of text over a frame."""

    text: str
    role: Literal["title", "caption", "layer", "left", "right"]
    opacity: float


@dataclass(frozen=True)
class Shot:
    """A way of the camera, and what it shows."""

    kind: str
    track: CameraTrack
    join: str = "dissolve"
    """How it follows the shot before it, one of JOINS."""
    title: str = ""
    caption: str = ""
    names: Sequence[str] = ()
    """The layer that each frame passes; () for none."""
    lighting: Lighting | None = None
    """How bright the maps of layers are; None where all are as bright as ever."""
    positions: Sequence[int] = ()
    """For each frame, the entry of the series that the hall shows."""
    numbers: TileNumbers | None = None
    insets: Sequence[Inset] = ()
    """Pictures over its last half."""
    beside: CameraTrack | None = None
    """Of a split picture: the camera in the second hall."""
    second_hall: int = 0
    """Which of the film's second halls that is."""
    sides: tuple[str, str] = ("", "")
    """Names of the two halves."""


@dataclass(frozen=True)
class FrameState:
    """Everything of one frame."""

    camera: np.ndarray
    """(4, 4) float64 from camera to world."""
    lens: float
    """Millimetres of a sensor 36 mm wide."""
    view: View
    """The same camera for projecting; of a split picture, for its left half."""
    position: int | None
    """The entry of the series that the hall shows; None for the only one."""
    brightness: Mapping[str, float]
    """How bright the maps of layers are, 0..1, by layer; others are as bright as ever."""
    words: tuple[FilmWord, ...]
    progress: float
    """Share of the film, 0..1."""
    numbers: TileNumbers | None = None
    insets: Sequence[Inset] = ()
    inset_opacity: float = 0.0
    beside: View | None = None
    """The camera in the second hall, whose picture is the right half."""
    second_hall: int = 0
    """Which of the film's second halls that is."""
    dissolve: tuple[FrameState, float] | None = None
    """The frame of the shot before, and the share 0..1 of this one."""


@dataclass(frozen=True)
class Film:
    """Shots one after the other."""

    shots: Sequence[Shot]
    size: tuple[int, int] = (1920, 1080)
    """Width and height in pixels."""
    rate: float = 30.0
    """Frames a second."""
    passes: int = 16
    """Samples of a pixel."""
    theme: str = "dark"
    transparent: bool = False
    shows_progress: bool = True
    dissolve: float = 0.6
    """Seconds of a dissolve, during which both shots go on."""
    starts: tuple[int, ...] = field(init=False)
    """Frame at which each shot begins."""

    def __post_init__(self) -> None:
        steps = [len(shot.track) - self.overlap(k + 1) for k, shot in enumerate(self.shots)]
        object.__setattr__(self, "starts", (0, *accumulate(steps[:-1])))

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return self.starts[-1] + len(self.shots[-1].track) if self.shots else 0

    def overlap(self, number: int) -> int:
        """Returns the frames of a shot during which the one before it is seen too."""
        if not 0 < number < len(self.shots) or self.shots[number].join != "dissolve":
            return 0
        shortest = min(len(shot.track) for shot in self.shots[number - 1 : number + 1])
        return min(round(self.dissolve * self.rate), shortest // 2)

    def at(self, frame: int) -> FrameState:
        """Returns the state of a frame, from 0. Raises IndexError for one that the film doesn't have."""
        if not 0 <= frame < self.frame_count:
            raise IndexError(f"frame {frame} of a film of {self.frame_count}")
        number = max(k for k, start in enumerate(self.starts) if start <= frame)
        state = self._state(number, frame - self.starts[number])
        state = replace(state, progress=frame / max(self.frame_count - 1, 1))
        if frame - self.starts[number] >= (overlap := self.overlap(number)):
            return state
        before = self._state(number - 1, frame - self.starts[number - 1])
        share = (frame - self.starts[number] + 1) / (overlap + 1)
        return replace(state, dissolve=(before, share))

    def _state(self, number: int, frame: int) -> FrameState:
        shot = self.shots[number]
        width, height = self.size
        half = width // 2 if shot.beside is not None else width
        view = shot.track.view(frame, half, height)
        later = np.clip((frame - len(shot.track) / 2) / (FADE * self.rate), 0, 1)
        return FrameState(
            view.matrix(),
            view.lens,
            view,
            shot.positions[frame] if len(shot.positions) else None,
            {} if shot.lighting is None else shot.lighting.at(frame),
            tuple(self._words(shot, frame)),
            0.0,
            shot.numbers,
            shot.insets,
            float(later),
            None if shot.beside is None else shot.beside.view(frame, width - half, height),
            shot.second_hall,
        )

    def _words(self, shot: Shot, frame: int) -> list[FilmWord]:
        """Returns the words of a frame: a title and a caption that come and go, the sides, the layer it passes."""
        ends = (frame + 1, len(shot.track) - frame)
        opacity = float(np.clip(min(ends) / (FADE * self.rate), 0, 1))
        title = float(np.clip(TITLE - frame / (FADE * self.rate), 0, opacity))
        found = [FilmWord(shot.title, "title", title), FilmWord(shot.caption, "caption", opacity)]
        if len(shot.names):
            found.append(FilmWord(shot.names[frame], "layer", opacity))
        found += [FilmWord(shot.sides[0], "left", opacity), FilmWord(shot.sides[1], "right", opacity)]
        return [word for word in found if word.text and word.opacity > 0]
