"""Innerwalk: walk into a PyTorch network. pip loads this folder as `innerwalk`, Blender loads it as an extension.

Nothing is imported here: torch and Blender come in only where they are needed.
"""

__all__ = ["register", "unregister"]


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import blender_addon

    blender_addon.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled; leaves nothing behind."""
    from . import blender_addon

    blender_addon.unregister()
