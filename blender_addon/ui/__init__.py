"""The interface: operators and menu entries. Nothing is done at register but to name them to Blender."""

from __future__ import annotations

import bpy

from .operators import CLASSES, draw_import

MENUS = (bpy.types.TOPBAR_MT_file_import,)


def register() -> None:
    """Name the operators to Blender and put them into the menus."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    for menu in MENUS:
        menu.append(draw_import)


def unregister() -> None:
    """The same backwards."""
    for menu in reversed(MENUS):
        menu.remove(draw_import)
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
