"""Opens halls in the window of the Blender that is installed on this machine."""

from .open_window import open_window, show

__all__ = ["open_window", "show"]
