"""The interface: operators, panels, menu entries and handlers. Nothing is done at register but to name them to Blender.

A module of this folder offers any of CLASSES (in order of registration), PROPERTIES (owner, name, property), MENUS
(menu, draw function) and HANDLERS (list of bpy.app.handlers, function); it is listed once, in MODULES.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from . import handlers, operators

MODULES = (operators, handlers)


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


def unregister() -> None:
    """The same backwards."""
    for held, handler in reversed([*_all("HANDLERS")]):
        held.remove(handler)
    for menu, draw in reversed([*_all("MENUS")]):
        menu.remove(draw)
    for owner, name, _ in reversed([*_all("PROPERTIES")]):
        delattr(owner, name)
    for one in reversed([*_all("CLASSES")]):
        bpy.utils.unregister_class(one)
