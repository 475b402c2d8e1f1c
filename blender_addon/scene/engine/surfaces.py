"""What a material of a hall shows, read from its nodes; any other material is a person's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import bpy

from ...properties import NODE_GROUP_NAME, PAINT_ATTRIBUTE, VERSION_STAMP
from ..materials.nodes import STAMP
from ..materials.panel_material import CONTENTS, GROUPS, Kind
from ..materials.panel_shader import FOG


@dataclass(frozen=True)
class Surface:
    """What a material of a hall emits through the fog."""

    kind: Kind | Literal["paint", "picture"]
    images: tuple[bpy.types.Image, ...] = ()
    """Of a panel: maps and peaks; of a picture: itself."""
    is_smooth: bool = False
    """Whether a picture is interpolated between its pixels."""


def read_surface(material: bpy.types.Material | None) -> Surface | None:
    """Returns what a material of a hall shows; None for one of another version, without its image, or a person's."""
    if material is None or material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("CYCLES")
    if output is None or any(socket.is_linked for socket in output.inputs[1:]):
        return None
    source = _source(output.inputs[0])
    kinds = {group.id: kind for kind, group in GROUPS.items()}
    if _group_id(source) in kinds:
        return _panel_surface(kinds[_group_id(source)], material.node_tree.nodes)
    if source is None or source.bl_idname != "ShaderNodeEmission" or source.inputs["Strength"].default_value != 1.0:
        return None
    fog = _source(source.inputs["Color"])
    return _foggy_surface(_source(fog.inputs[0])) if _group_id(fog) == FOG.id else None


def _panel_surface(kind: Kind, nodes: bpy.types.Nodes) -> Surface | None:
    textures: list[Any] = [nodes.get(content) for content in CONTENTS]
    if any(node is None or not _has_pixels(node) or node.interpolation != "Closest" for node in textures):
        return None
    return Surface(kind, tuple(node.image for node in textures))


def _foggy_surface(node: bpy.types.Node | None) -> Surface | None:
    """Returns what a node sends through the fog: the paint of a mesh, or a picture."""
    kind = node.bl_idname if node is not None else ""
    if kind == "ShaderNodeAttribute" and (node.attribute_name, node.attribute_type) == (PAINT_ATTRIBUTE, "GEOMETRY"):
        return Surface("paint")
    if kind == "ShaderNodeTexImage" and _has_pixels(node) and not node.inputs[0].is_linked:
        return Surface("picture", (node.image,), node.interpolation != "Closest")
    return None


def _has_pixels(node: bpy.types.Node) -> bool:
    return node.image is not None and node.image.source in ("GENERATED", "FILE") and min(node.image.size) > 0


def _source(socket: bpy.types.NodeSocket) -> bpy.types.Node | None:
    """Returns the node that feeds a socket, or None."""
    return socket.links[0].from_node if socket.is_linked else None


def _group_id(node: bpy.types.Node | None) -> str:
    """Returns Innerwalk's name of a group node's group; "" for other nodes, and for groups of other versions."""
    tree = getattr(node, "node_tree", None)
    return str(tree.get(NODE_GROUP_NAME, "")) if tree is not None and tree.get(VERSION_STAMP) == STAMP else ""
