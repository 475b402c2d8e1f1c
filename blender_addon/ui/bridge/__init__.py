"""Interface of the bridge: its start, networks, inputs, videos and methods."""

from .settings import SHADINGS, bridge_settings, texture_budget

__all__ = ["SHADINGS", "bridge_settings", "texture_budget"]
