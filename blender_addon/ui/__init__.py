"""The interface: operators, panels, menu entries and handlers. Nothing is done at register but to name them to Blender.

A module of this folder offers any of CLASSES (in order of registration), PROPERTIES (owner, name, property), MENUS
(menu, draw function), HANDLERS (list of bpy.app.handlers, function), KEYS (keymap, its space, operator, key, event) and
CLOSING (functions to call when the extension is taken away); it is listed once, in MODULES.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from . import (app_handlers, menus, walk_panel)
from .bridge import (bridge_form, bridge_panel, input_panel, method_panel, preferences, video_panel)
from .common import operators
from .hall import (ablation_operators, panel_operators, compare_panel, export_operators, block_operators, panel_gizmos, layer_list, colours_panel)
from .inspect import (inspector_panels, inspector_state, pick_operator, probe_operator)

MODULES = (
    preferences, bridge_form, bridge_panel, input_panel, video_panel, method_panel, compare_panel, operators, app_handlers, inspector_state,
    inspector_panels, ablation_operators, probe_operator, export_operators, pick_operator, panel_operators, block_operators, colours_panel, layer_list, walk_panel, menus, panel_gizmos,
)  # fmt: skip


def _all(kind: str) -> Iterator[Any]:
    for module in MODULES:
        yield from getattr(module, kind, ())


def register() -> None:
    """Name everything to Blender."""
    for one in _all("CLASSES"):
        bpy.utils.register_class(one)
    for owner, name, made in _all("PROPERTIES"):
        setattr(owner, name, made)
    for menu, draw in _all("MENUS"):
        menu.append(draw)
    for held, handler in _all("HANDLERS"):
        held.append(handler)
    for keymap, space, operator, key, event in _all("KEYS") if _config() else ():
        _config().keymaps.new(name=keymap, space_type=space).keymap_items.new(operator, key, event)


def _config() -> bpy.types.KeyConfig | None:
    """The keys of extensions; None in the background."""
    return bpy.context.window_manager.keyconfigs.addon


def unregister() -> None:
    """The same backwards."""
    for close in _all("CLOSING"):
        close()
    for keymap, space, operator, *_ in _all("KEYS") if _config() else ():
        items = _config().keymaps.new(name=keymap, space_type=space).keymap_items
        for item in [item for item in items if item.idname == operator]:
            items.remove(item)
    for held, handler in reversed([*_all("HANDLERS")]):
        held.remove(handler)
    for menu, draw in reversed([*_all("MENUS")]):
        menu.remove(draw)
    for owner, name, _ in reversed([*_all("PROPERTIES")]):
        delattr(owner, name)
    for one in reversed([*_all("CLASSES")]):
        bpy.utils.unregister_class(one)
