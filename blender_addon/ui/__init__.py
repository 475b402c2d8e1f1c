"""The interface: operators, panels, menus, handlers and keys. Registering only tells Blender about them.

Each module in MODULES has any of these tuples; order matters within CLASSES, where a class comes after those it uses:

CLASSES      classes
PROPERTIES   (owner, name, property)
MENUS        (menu, draw function that is appended to it)
FIRST_MENUS  (menu, draw function that is put before its entries)
HANDLERS     (list in bpy.app.handlers, function)
KEYS         (keymap, space, operator, key, event)
DRAWN        (space, function that draws over it, region, moment of drawing)
CLOSING      functions that are called when the extension is disabled
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from . import app_handlers, menus, script_template, translations, walk_panel
from .bridge import (
    bridge_form,
    bridge_panel,
    input_panel,
    method_panel,
    preferences,
    python_form,
    settings,
    shelf_operators,
    video_panel,
)
from .hall import (
    ablation_operators,
    block_operators,
    brush_operators,
    colours_panel,
    compare_panel,
    export_operators,
    film_operators,
    layer_list,
    open_operators,
    panel_gizmos,
    panel_operators,
    recipe_operators,
    series_panel,
    vote_operators,
)
from .inspect import (
    answer_panel,
    inspector_panels,
    inspector_state,
    naming_panel,
    pick_operator,
    position_field,
    probe_operator,
    tile_frame,
)

__all__ = ["MODULES", "register", "registered", "unregister"]

MODULES = (
    # The bridge; property groups come before the classes that hold them.
    settings,
    python_form,
    bridge_form,
    preferences,
    bridge_panel,
    shelf_operators,
    input_panel,
    video_panel,
    method_panel,
    # The hall.
    compare_panel,
    series_panel,
    open_operators,
    app_handlers,
    inspector_state,
    position_field,
    answer_panel,
    inspector_panels,
    naming_panel,
    ablation_operators,
    brush_operators,
    vote_operators,
    probe_operator,
    export_operators,
    recipe_operators,
    film_operators,
    pick_operator,
    tile_frame,
    panel_operators,
    block_operators,
    colours_panel,
    layer_list,
    # Walks, what shows all of this in the 3D view, and scripts.
    walk_panel,
    menus,
    panel_gizmos,
    script_template,
)


_drawing: list[tuple[Any, Any, str]] = []
"""(space, handle, region) of each function that draws over a space."""


def registered(table: str) -> Iterator[Any]:
    """Yields the entries of a table, such as "CLASSES", of all modules in the order of registration."""
    for module in MODULES:
        yield from getattr(module, table, ())


def register() -> None:
    """Registers everything."""
    translations.register(registered("CLASSES"), (definition for _, _, definition in registered("PROPERTIES")))
    for cls in registered("CLASSES"):
        bpy.utils.register_class(cls)
    for owner, name, definition in registered("PROPERTIES"):
        setattr(owner, name, definition)
    for menu, draw in registered("MENUS"):
        menu.append(draw)
    for menu, draw in registered("FIRST_MENUS"):
        menu.prepend(draw)
    for handlers, handler in registered("HANDLERS"):
        handlers.append(handler)
    for keymap, space, operator, key, event in registered("KEYS") if _keyconfig() else ():
        _keyconfig().keymaps.new(name=keymap, space_type=space).keymap_items.new(operator, key, event)
    for space, draw, region, moment in registered("DRAWN"):
        _drawing.append((space, space.draw_handler_add(draw, (), region, moment), region))


def unregister() -> None:
    """Removes everything, in reverse order."""
    for close in registered("CLOSING"):
        close()
    while _drawing:
        space, handle, region = _drawing.pop()
        space.draw_handler_remove(handle, region)
    for keymap, space, operator, *_ in registered("KEYS") if _keyconfig() else ():
        items = _keyconfig().keymaps.new(name=keymap, space_type=space).keymap_items
        for item in [item for item in items if item.idname == operator]:
            items.remove(item)
    for handlers, handler in reversed([*registered("HANDLERS")]):
        handlers.remove(handler)
    for menu, draw in reversed([*registered("MENUS"), *registered("FIRST_MENUS")]):
        menu.remove(draw)
    for owner, name, _ in reversed([*registered("PROPERTIES")]):
        delattr(owner, name)
    for cls in reversed([*registered("CLASSES")]):
        bpy.utils.unregister_class(cls)
    translations.unregister()


def _keyconfig() -> bpy.types.KeyConfig | None:
    """Returns the extensions' key configuration; None in the background."""
    return bpy.context.window_manager.keyconfigs.addon
