"""Builds, stores, updates and rebuilds halls, and finds what a ray hits in them."""

from .assembly import BuildContext, add_hall
from .build import clear_hall, create_hall, rebuild_hall
from .input_updates import show_recording
from .map_updates import update_after_maps
from .ray_hits import Hit, find_hall, pick_at, pixel_of
from .relayout import prepare_build, refit_hall, update_title
from .store import Appearance, halls, is_hall, read_appearance, read_description, read_recording
from .visibility import apply_visibility, is_hidden, solo_layer

__all__ = [
    "Appearance",
    "BuildContext",
    "Hit",
    "add_hall",
    "apply_visibility",
    "clear_hall",
    "create_hall",
    "find_hall",
    "halls",
    "is_hall",
    "is_hidden",
    "pick_at",
    "pixel_of",
    "prepare_build",
    "read_appearance",
    "read_description",
    "read_recording",
    "rebuild_hall",
    "refit_hall",
    "show_recording",
    "solo_layer",
    "update_after_maps",
    "update_title",
]
