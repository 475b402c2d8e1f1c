"""Interface of the bridge: its start, networks, inputs, videos and methods."""

from .settings import bridge_settings

__all__ = ["bridge_settings"]
