"""Differences between Blender 4.5, 5.0 and 5.2; no other module checks the version of Blender."""

from __future__ import annotations

from typing import Any

import bpy

EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"
"""The id of EEVEE in `scene.render.engine`."""

EEVEE_USES_HALF_FLOATS = bpy.app.version < (5, 0, 0)
"""EEVEE of 4.5 stores every image as half floats: values beyond 65504 get the colour of the map's end, and so do NaNs.

Cycles isn't affected.
"""


def node_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """Returns the node tree of a material or world; only before 5.0 must `use_nodes` be set for it to exist."""
    if bpy.app.version < (5, 0, 0):
        owner.use_nodes = True
    return owner.node_tree


def set_modifier_inputs(modifier: bpy.types.Modifier, values: dict[str, object]) -> None:
    """Sets inputs of a geometry-nodes modifier by their labels and tags the object for evaluation."""
    identifiers, inputs = _identifiers(modifier), _inputs(modifier)
    for name, value in values.items():
        if inputs is None:
            modifier[identifiers[name]] = value
        else:
            getattr(inputs, identifiers[name]).value = value
    modifier.id_data.update_tag()


def update_modifier_inputs(modifier: bpy.types.Modifier, values: dict[str, object]) -> None:
    """Sets only the inputs whose values differ; without a difference the object isn't evaluated again."""
    identifiers, inputs = _identifiers(modifier), _inputs(modifier)
    changed = {name: value for name, value in values.items() if _value(modifier, inputs, identifiers[name]) != value}
    if changed:
        set_modifier_inputs(modifier, changed)


def modifier_input(modifier: bpy.types.Modifier, name: str) -> Any:
    """Returns the value of a geometry-nodes modifier's input by its label."""
    return _value(modifier, _inputs(modifier), _identifiers(modifier)[name])


def modifier_inputs(modifier: bpy.types.Modifier) -> dict[str, Any]:
    """Returns the values of all inputs of a geometry-nodes modifier by their labels, but for geometry."""
    inputs, names = _inputs(modifier), _identifiers(modifier)
    return {name: _value(modifier, inputs, names[name]) for name in names if name != "Geometry"}


def _value(modifier: bpy.types.Modifier, inputs: object | None, identifier: str) -> Any:
    return modifier[identifier] if inputs is None else getattr(inputs, identifier).value


def _identifiers(modifier: bpy.types.Modifier) -> dict[str, str]:
    """Returns the identifiers of the modifier's inputs by label."""
    return {
        item.name: item.identifier
        for item in modifier.node_group.interface.items_tree
        if item.item_type == "SOCKET" and item.in_out == "INPUT"
    }


def _inputs(modifier: bpy.types.Modifier) -> object | None:
    """Returns the owner of the inputs since 5.2; None before, where the modifier itself holds them."""
    return getattr(modifier.properties, "inputs", None) if hasattr(modifier, "properties") else None
