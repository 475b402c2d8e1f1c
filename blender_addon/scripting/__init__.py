"""Halls for scripts: `Hall` with its panels and channels, a thin layer over `actions`."""

from .hall import Hall
from .hall_panels import Channel, Panels

__all__ = ["Channel", "Hall", "Panels"]
