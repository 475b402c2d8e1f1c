"""Blender's side: builds halls from recordings. Layout and imaging import no bpy."""

__all__ = ["register", "unregister"]


def register() -> None:
    """Registers the interface."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Removes the interface."""
    from . import ui

    ui.unregister()
