"""A camera's way through a film, frame by frame, and the laws it keeps: speed, turning, acceleration, no roll.

The quickest way that keeps the limits is found sample by sample along the path. Then it is averaged over time with a
smooth window: the mean of velocities within a limit is within it too, and the window's width bounds how quickly they
change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording.errors import InputError
from ..layout.view import SENSOR, View
from .catmull_rom import curve_through

SLOWEST, WALKING, FASTEST = 0.05, 1.4, 3.0
"""Least, usual and greatest speed that can be asked for, metres a second."""
TURNING, ORBIT_TURNING = 12.0, 14.0
"""Greatest turning in degrees a second, and that of an orbit."""
CROSSING = 7.0
"""Seconds in which what passes the picture crosses it at the quickest, so that it can be read."""
ZOOMING, NEARING = 0.55, 0.75
"""Greatest change a second of the logarithm of the lens, and of that of the distance to what is looked at."""
WINDOW = 2.0
"""Seconds over which the way is averaged; a start from rest or a stop takes as long."""
MOST_FRAMES = 100_000
"""Frames of a film at most: an hour."""
FINE = 4
"""Samples a frame before they are averaged."""


@dataclass(frozen=True)
class Pose:
    """Where a camera stands and what it looks at, metres; its lens, millimetres of a sensor SENSOR wide."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    lens: float

    @classmethod
    def of(cls, view: View) -> Pose:
        """Returns the pose of a preset's camera."""
        return cls(view.position, view.target, view.lens)


@dataclass(frozen=True)
class CameraLimits:
    """How quickly a camera may move, and whether it begins and ends at rest."""

    speed: float = WALKING
    """Metres a second."""
    turning: float = TURNING
    """Degrees a second, for wide lenses; long ones turn no more than a picture's width in CROSSING seconds."""
    starts_at_rest: bool = True
    ends_at_rest: bool = True


@dataclass(frozen=True)
class CameraTrack:
    """A camera at each frame."""

    positions: np.ndarray
    """(n, 3) float64, metres."""
    angles: np.ndarray
    """(n, 2) float64, radians: the direction it looks to, against the clock from +y as seen from above, and upwards."""
    lenses: np.ndarray
    """(n,) float64, millimetres."""

    def __len__(self) -> int:
        return len(self.positions)

    def view(self, frame: int, width: int, height: int) -> View:
        """Returns the camera at a frame, for a picture of a size in pixels."""
        yaw, pitch = self.angles[frame]
        ahead = np.array([-math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
        position = self.positions[frame]
        return View(_point(position), _point(position + ahead), width, height, float(self.lenses[frame]))

    def matrix(self, frame: int) -> np.ndarray:
        """Returns the (4, 4) float64 transform from camera to world; the camera doesn't roll."""
        return self.view(frame, 16, 9).matrix()

    def part(self, start: int, stop: int) -> CameraTrack:
        """Returns the track from one frame up to another."""
        return CameraTrack(self.positions[start:stop], self.angles[start:stop], self.lenses[start:stop])


def plan_track(
    poses: Sequence[Pose], rate: float, limits: CameraLimits | None = None, seconds: float | None = None
) -> CameraTrack:
    """Returns the track through poses at `rate` frames a second that keeps the limits.

    seconds: its duration, None for the shortest. A longer one is slower; for a shorter one the way begins later,
    because where it ends is what it is about. Raises InputError for more than MOST_FRAMES.
    """
    limits = limits or CameraLimits()
    samples = _Samples.along(poses)
    times = np.concatenate([[0.0], np.cumsum(samples.least_times(limits))])
    window = WINDOW if seconds is None else min(WINDOW, seconds / 3)
    margin = window * (limits.starts_at_rest + limits.ends_at_rest) / 2 - window / 2 * (
        (not limits.starts_at_rest) + (not limits.ends_at_rest)
    )
    count = max(2, math.ceil((times[-1] + margin) * rate - 1e-6) + 1 if seconds is None else round(seconds * rate))
    if count > MOST_FRAMES:
        raise InputError(
            f"a shot of {count:,} frames; up to {MOST_FRAMES:,} are possible: take fewer seconds or more speed"
        )
    moving = max((count - 1) / rate - margin, 1e-6)
    if times[-1] > 0 and moving > times[-1]:
        times = times * (moving / times[-1])
    fine = np.linspace(times[-1] - moving, times[-1], max(2, round(moving * rate * FINE) + 1))
    return samples.at(np.interp(fine, times, np.arange(len(times)))).averaged(window, rate, count, limits)


@dataclass(frozen=True)
class _Samples:
    """Cameras along a path, (n, 6) float64 each: x, y, z, yaw, pitch and the logarithm of the lens."""

    values: np.ndarray
    distances: np.ndarray
    """(n,) float64 metres to what is looked at."""

    @classmethod
    def along(cls, poses: Sequence[Pose]) -> _Samples:
        positions = curve_through(np.array([pose.position for pose in poses]))
        targets = curve_through(np.array([pose.target for pose in poses]))
        ahead = targets - positions
        flat = np.hypot(ahead[:, 0], ahead[:, 1])
        yaw = np.unwrap(np.arctan2(-ahead[:, 0], ahead[:, 1]))
        where = np.linspace(0, len(poses) - 1, len(positions))
        lenses = np.interp(where, np.arange(len(poses)), np.log([pose.lens for pose in poses]))
        values = np.column_stack([positions, yaw, np.arctan2(ahead[:, 2], flat), lenses])
        return cls(values, np.linalg.norm(ahead, axis=1))

    def least_times(self, limits: CameraLimits) -> np.ndarray:
        """Returns the least seconds from each sample to the next, (n - 1,) float64."""
        step = np.diff(self.values, axis=0)
        lens = np.exp(np.maximum(self.values[1:, 5], self.values[:-1, 5]))
        width = 2 * np.arctan(SENSOR / 2 / lens)
        turning = np.minimum(math.radians(limits.turning), width / CROSSING)
        return np.max(
            [
                np.linalg.norm(step[:, :3], axis=1) / limits.speed,
                np.hypot(step[:, 3], step[:, 4]) / turning,
                np.abs(step[:, 5]) / ZOOMING,
                np.abs(np.diff(np.log(np.maximum(self.distances, 1e-3)))) / NEARING,
            ],
            axis=0,
        )

    def at(self, where: np.ndarray) -> _Samples:
        """Returns the samples at places (m,) between their indices."""
        index = np.arange(len(self.values))
        columns = [np.interp(where, index, column) for column in (*self.values.T, self.distances)]
        return _Samples(np.column_stack(columns[:6]), columns[6])

    def averaged(self, window: float, rate: float, count: int, limits: CameraLimits) -> CameraTrack:
        """Returns `count` frames of the means over a window of time; samples are FINE a frame."""
        taps = max(1, round(window * rate * FINE / 2)) * 2 + 1
        weights = 1 + np.cos(np.linspace(-np.pi, np.pi, taps + 2)[1:-1])
        before, after = (taps - 1 if rests else 0 for rests in (limits.starts_at_rest, limits.ends_at_rest))
        padded = np.pad(self.values, ((before, after), (0, 0)), mode="edge")
        if len(padded) < taps:
            padded = np.pad(padded, ((0, taps - len(padded)), (0, 0)), mode="edge")
        smooth = np.column_stack([np.convolve(column, weights / weights.sum(), "valid") for column in padded.T])
        places = np.linspace(0, len(smooth) - 1, count)
        columns = [np.interp(places, np.arange(len(smooth)), column) for column in smooth.T]
        return CameraTrack(np.column_stack(columns[:3]), np.column_stack(columns[3:5]), np.exp(columns[5]))


def _point(point: np.ndarray) -> tuple[float, float, float]:
    return (float(point[0]), float(point[1]), float(point[2]))
