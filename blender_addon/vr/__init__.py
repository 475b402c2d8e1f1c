"""Walks through a hall: with a headset and two hands, or on the desktop with a crosshair and keys."""

from .walk_actions import end_walk, go_to_place, start_walk, walk_at_desk

__all__ = ["end_walk", "go_to_place", "start_walk", "walk_at_desk"]
