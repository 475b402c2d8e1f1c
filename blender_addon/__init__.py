"""Blender's side: a recording becomes a hall. The pure parts (layout, colours) import no bpy."""

EXTENSION = __package__.rpartition(".")[0]
"""The extension's own package, which its preferences and its user folder are filed under."""


def register() -> None:
    """Add the operators and menu entries."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Take them away again."""
    from . import ui

    ui.unregister()
