"""What differs between Blender 4.5, 5.0 and 5.2, and nothing else. No other file asks for the version."""

from __future__ import annotations

from typing import Any

import bpy

EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"
"""The id of EEVEE in `scene.render.engine`."""

EEVEE_USES_HALF_FLOATS = bpy.app.version < (5, 0, 0)
"""EEVEE of 4.5 keeps images as half floats whatever they ask for: beyond 65504 it shows the end of the colour map, and
so for NaN too. Cycles is right everywhere."""


def node_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The node tree of a material or world; before 5.0 it has to be asked for, since then asking is deprecated."""
    if bpy.app.version < (5, 0, 0):
        owner.use_nodes = True
    return owner.node_tree


def set_modifier_inputs(modifier: bpy.types.Modifier, values: dict[str, object]) -> None:
    """Sets inputs of a geometry-nodes modifier by their labels; the owner is tagged for evaluation."""
    identifiers, inputs = _identifiers(modifier), _inputs(modifier)
    for name, value in values.items():
        if inputs is None:
            modifier[identifiers[name]] = value
        else:
            getattr(inputs, identifiers[name]).value = value
    modifier.id_data.update_tag()


def update_modifier_inputs(modifier: bpy.types.Modifier, values: dict[str, object]) -> None:
    """The same, for nothing where they are so already: each change evaluates the object again."""
    identifiers, inputs = _identifiers(modifier), _inputs(modifier)
    other = {name: value for name, value in values.items() if _value(modifier, inputs, identifiers[name]) != value}
    if other:
        set_modifier_inputs(modifier, other)


def modifier_input(modifier: bpy.types.Modifier, name: str) -> Any:
    """The value of an input of a geometry-nodes modifier, by its label."""
    return _value(modifier, _inputs(modifier), _identifiers(modifier)[name])


def _value(modifier: bpy.types.Modifier, inputs: object | None, identifier: str) -> Any:
    return modifier[identifier] if inputs is None else getattr(inputs, identifier).value


def _identifiers(modifier: bpy.types.Modifier) -> dict[str, str]:
    """Label -> identifier."""
    return {item.name: item.identifier for item in modifier.node_group.interface.items_tree
            if item.item_type == "SOCKET" and item.in_out == "INPUT"}  # fmt: skip


def _inputs(modifier: bpy.types.Modifier) -> object | None:
    """What holds the inputs since 5.2; before, the modifier itself does."""
    return getattr(modifier.properties, "inputs", None) if hasattr(modifier, "properties") else None
