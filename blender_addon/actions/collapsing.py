"""Blocks of a hall are collapsed to one panel each and expanded again, with the maps they had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy

from ...torch_bridge.recording import Layer
from ...torch_bridge.recording.errors import UnknownName
from ..layout import blocks
from ..layout.blocks import ALL, Block, matching_blocks
from ..scene.hall import store
from ..scene.hall.relayout import refit_hall
from ..scene.panels import panels
from .selecting import select, selected


def collapse(scene: bpy.types.Scene, block: str) -> str:
    """Collapses each block that matches a glob such as `layer3.*`, or "all", to one panel.

    The other panels leave the scene and are kept in the file with their maps. Returns a line that says what is
    collapsed. Raises UnknownName if no block matches.
    """
    layers, appearance = _layers(scene), store.read_appearance(scene)
    matches = matching_blocks(layers, [block])
    globs = (*appearance.collapse, block)
    if matching_blocks(layers, globs) == matching_blocks(layers, appearance.collapse):
        return f"{block} is collapsed already"
    refit_hall(scene, replace(appearance, collapse=globs))
    if (layer := selected(scene).layer) not in panels(scene):
        represented_by = _representative(layers, matching_blocks(layers, globs), layer)
        select(scene, represented_by if represented_by in panels(scene) else "")
    return f"{_describe(matches)} collapsed: the hall now shows {len(panels(scene))} panels"


def expand(scene: bpy.types.Scene, block: str) -> str:
    """Shows the panels of a collapsed block, or of "all" of them, again.

    Returns a line that says what is expanded. Raises UnknownName if the block isn't collapsed.
    """
    layers, appearance = _layers(scene), store.read_appearance(scene)
    found = matching_blocks(layers, appearance.collapse)
    names = [collapsed.name for collapsed in found]
    if block != ALL and block not in names:
        raise UnknownName("collapsed block", block, names)
    globs = () if block == ALL else _without(layers, appearance.collapse, block)
    refit_hall(scene, replace(appearance, collapse=globs))
    return f"{_describe(found) if block == ALL else block} expanded: the hall now shows {len(panels(scene))} panels"


def collapsed_blocks(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the collapsed blocks, in the network's order."""
    return [block.name for block in matching_blocks(_layers(scene), store.read_appearance(scene).collapse)]


def collapsible_blocks(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the blocks that can be collapsed, in the network's order, also of blocks of blocks."""
    return list(dict.fromkeys(block.name for block in blocks.collapsible_blocks(_layers(scene))))


def _layers(scene: bpy.types.Scene) -> list[Layer]:
    return store.read_description(scene).network.folded()[0]


def _without(layers: Sequence[Layer], globs: Sequence[str], block: str) -> tuple[str, ...]:
    """Returns globs that no longer match this block; a glob that matches others too is replaced by their names."""
    left = tuple(glob for glob in globs if glob != block)
    names = [match.name for match in matching_blocks(layers, left)]
    return left if block not in names else tuple(dict.fromkeys(name for name in names if name != block))


def _representative(layers: Sequence[Layer], blocks: Sequence[Block], layer: str) -> str:
    """Returns the id of the layer whose panel represents the collapsed block of a layer; "" if there is none."""
    inside = (block for block in blocks if layer in {other.id for other in layers[block.first : block.last + 1]})
    return next((layers[block.last].id for block in inside), "")


def _describe(blocks: Sequence[Block]) -> str:
    return blocks[0].name if len(blocks) == 1 else f"{len(blocks)} blocks"
