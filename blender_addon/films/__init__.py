"""Films of halls as data: cameras, shots, titles and what changes meanwhile; pure numpy, no bpy."""

from .camera_track import FASTEST, TURNING, WALKING, CameraLimits, CameraTrack, Pose, plan_track
from .film import JOINS, SHOT_KINDS, Film, FilmWord, FrameState, Inset, Shot
from .film_hall import FilmHall, panel_distances
from .film_plan import ShotOptions, plan_film

__all__ = [
    "FASTEST",
    "JOINS",
    "SHOT_KINDS",
    "TURNING",
    "WALKING",
    "CameraLimits",
    "CameraTrack",
    "Film",
    "FilmHall",
    "FilmWord",
    "FrameState",
    "Inset",
    "Pose",
    "Shot",
    "ShotOptions",
    "panel_distances",
    "plan_film",
    "plan_track",
]
