"""The interface: operators, menu entries and handlers. Nothing is done at register but to name them to Blender."""

from __future__ import annotations

import bpy

from .handlers import HANDLERS
from .operators import CLASSES, draw_import

MENUS = (bpy.types.TOPBAR_MT_file_import,)


def register() -> None:
    """Name the operators to Blender and put them into the menus."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    for menu in MENUS:
        menu.append(draw_import)
    for held, handler in HANDLERS:
        held.append(handler)


def unregister() -> None:
    """The same backwards."""
    for held, handler in reversed(HANDLERS):
        held.remove(handler)
    for menu in reversed(MENUS):
        menu.remove(draw_import)
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
