"""The sky of a hall: a world for each scene, with a gradient from the horizon to the zenith."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ..materials.compat import node_tree
from ..materials.nodes import NodeBuilder, spread_nodes

ZENITH_FROM = 0.30
"""Sine of the elevation above which the sky has the zenith's colour."""
SKY_NODES = (
    "ShaderNodeBackground",
    "ShaderNodeMath",
    "ShaderNodeMix",
    "ShaderNodeOutputWorld",
    "ShaderNodeSeparateXYZ",
    "ShaderNodeTexCoord",
)
"""Types of a sky's nodes, one of each."""


def set_sky(scene: bpy.types.Scene, palette: Mapping[str, np.ndarray], *, plain_role: str | None = None) -> None:
    """Gives the scene a world in colours of a palette, which holds linear RGB (3,) float by role.

    plain_role: role of the only colour, for figures without a horizon.
    """
    world = scene.world or bpy.data.worlds.new(f"{scene.name} sky")
    scene.world = world
    world.cycles.sampling_method = "NONE"  # nothing is lit, and a map of where light comes from takes seconds
    tree = node_tree(world)
    tree.nodes.clear()
    nodes = NodeBuilder(tree)
    height = nodes.separate(nodes.add("ShaderNodeTexCoord").outputs["Generated"])[2]
    share = nodes.math("DIVIDE", height, ZENITH_FROM, clamp=True)
    low, high = (plain_role, plain_role) if plain_role else ("air", "sky")
    mixed = nodes.mix_colours(share, (*palette[low], 1.0), (*palette[high], 1.0))
    light = nodes.add("ShaderNodeBackground", {"Color": mixed})
    nodes.add("ShaderNodeOutputWorld", {0: light.outputs[0]})
    spread_nodes(tree)


def read_sky(world: bpy.types.World) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Returns the sky's colours low and high, (3,) float linear RGB each, and the sine from which it has the high one.

    Returns None for a world that `set_sky` hasn't made.
    """
    nodes = world.node_tree.nodes if world.node_tree else ()
    by_type = {node.bl_idname: node for node in nodes}
    if tuple(sorted(by_type)) != SKY_NODES or len(nodes) != len(SKY_NODES):
        return None
    mixed, share = by_type["ShaderNodeMix"], by_type["ShaderNodeMath"]
    low, high = (np.array(mixed.inputs[k].default_value[:3]) for k in (6, 7))
    return low, high, float(share.inputs[1].default_value)
