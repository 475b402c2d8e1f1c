"""Blocks of a hall that stands become one panel each, and all of their panels again, with the maps they had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy

from ...torch_bridge.recording import Layer
from ...torch_bridge.recording.errors import UnknownName
from ..layout import blocks
from ..layout.blocks import ALL, Block, matching
from ..scene.hall import store
from ..scene.hall.refit import refit
from ..scene.panels import panels
from .selecting import select, selected


def collapse(scene: bpy.types.Scene, block: str) -> str:
    """Let one panel stand for each block that fits a glob such as `layer3.*`, or for "all". Raises UnknownName.

    The other panels leave the scene and wait in the file with their maps.
    """
    layers, dress = _layers(scene), store.dress_of(scene)
    fits = matching(layers, [block])
    globs = (*dress.collapse, block)
    if matching(layers, globs) == matching(layers, dress.collapse):
        return f"{block} is collapsed already"
    refit(scene, replace(dress, collapse=globs))
    if (layer := selected(scene).layer) not in panels(scene):
        stands = _stands_for(layers, matching(layers, globs), layer)
        select(scene, stands if stands in panels(scene) else "")
    return f"{_named(fits)} collapsed: {len(panels(scene))} panels stand"


def expand(scene: bpy.types.Scene, block: str) -> str:
    """Hang the panels of a collapsed block again, or of "all". Raises UnknownName."""
    layers, dress = _layers(scene), store.dress_of(scene)
    there = matching(layers, dress.collapse)
    if block != ALL and block not in {one.name for one in there}:
        raise UnknownName("collapsed block", block, [one.name for one in there])
    globs = () if block == ALL else _without(layers, dress.collapse, block)
    refit(scene, replace(dress, collapse=globs))
    return f"{_named(there) if block == ALL else block} expanded: {len(panels(scene))} panels stand"


def collapsed(scene: bpy.types.Scene) -> list[str]:
    """Names of the blocks that stand as one panel each, in order."""
    return [one.name for one in matching(_layers(scene), store.dress_of(scene).collapse)]


def collapsible(scene: bpy.types.Scene) -> list[str]:
    """Names of the blocks that can be collapsed, in order, the outer ones too."""
    return list(dict.fromkeys(one.name for one in blocks.collapsible(_layers(scene))))


def _layers(scene: bpy.types.Scene) -> list[Layer]:
    return store.described(scene).network.folded()[0]


def _without(layers: Sequence[Layer], globs: Sequence[str], block: str) -> tuple[str, ...]:
    """Globs under which this block is no longer collapsed; where one fits others too, these are named one by one."""
    left = tuple(glob for glob in globs if glob != block)
    names = [one.name for one in matching(layers, left)]
    return left if block not in names else tuple(dict.fromkeys(name for name in names if name != block))


def _stands_for(layers: Sequence[Layer], found: Sequence[Block], layer: str) -> str:
    """Id of the layer that stands for the block of this one; "" where there is none."""
    held = (one for one in found if layer in {part.id for part in layers[one.first : one.last + 1]})
    return next((layers[one.last].id for one in held), "")


def _named(found: Sequence[Block]) -> str:
    return found[0].name if len(found) == 1 else f"{len(found)} blocks"
