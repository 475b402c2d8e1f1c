"""Blender's side: a recording becomes a hall. The pure parts (layout, colours) import no bpy."""


def register() -> None:
    """Add the operators and menu entries."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Take them away again."""
    from . import ui

    ui.unregister()
