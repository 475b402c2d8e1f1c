"""Node groups as code. Sockets are values: where an input takes a number, it takes an output socket as well.

A group carries its id and a stamp in custom properties. `ensure` finds it by id, and builds it again in place when it
is older, so that files of earlier versions come up to date without losing what uses the group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import bpy

from ...properties import NODE_GROUP_NAME, VERSION_STAMP

STAMP = 2
"""Raise it with every change to a group; tests/golden shows the change."""

Value = bpy.types.NodeSocket | float | int | bool | str | tuple | bpy.types.ID


class Nodes:
    """Adds nodes to a tree."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(self, kind: str, inputs: Mapping[Any, Value] | None = None, **settings: Any) -> bpy.types.Node:
        """A node with its settings and inputs (by name or number)."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.set(node.inputs[key], value)
        return node

    def set(self, socket: bpy.types.NodeSocket, value: Value) -> None:
        """Links an output socket to the input, or sets the input's value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, *operands: Value, clamp: bool = False) -> bpy.types.NodeSocket:
        """One scalar operation of the Math node."""
        return self.add("ShaderNodeMath", dict(enumerate(operands)), operation=operation, use_clamp=clamp).outputs[0]

    def vector(self, operation: str, *operands: Value) -> bpy.types.NodeSocket:
        """One operation of the Vector Math node; DOT_PRODUCT and LENGTH give a scalar."""
        outputs = self.add("ShaderNodeVectorMath", dict(enumerate(operands)), operation=operation).outputs
        return outputs["Value" if operation in ("DOT_PRODUCT", "LENGTH") else "Vector"]

    def xyz(self, *parts: Value) -> bpy.types.NodeSocket:
        """A vector of up to three parts."""
        return self.add("ShaderNodeCombineXYZ", dict(enumerate(parts))).outputs[0]

    def split(self, vector: Value) -> Sequence[bpy.types.NodeSocket]:
        """The three parts of a vector."""
        return list(self.add("ShaderNodeSeparateXYZ", {0: vector}).outputs)

    def mix(self, share: Value, first: Value, second: Value) -> bpy.types.NodeSocket:
        """Colours: `first` where share is 0, `second` where it is 1."""
        inputs: dict[str | int, Value] = {0: share, 6: first, 7: second}
        return self.add("ShaderNodeMix", inputs, data_type="RGBA").outputs[2]

    def between(self, share: Value, first: Value, second: Value) -> bpy.types.NodeSocket:
        """Numbers: `first` where share is 0, `second` where it is 1."""
        return self.add("ShaderNodeMix", {0: share, 2: first, 3: second}, data_type="FLOAT").outputs[0]

    def divmod(self, number: Value, by: Value) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
        """Whole quotient and remainder of two whole numbers."""
        inside = self.math("ADD", number, 0.5)  # half a step inside, so that rounding can't flip the result
        quotient = self.math("FLOOR", self.math("DIVIDE", inside, by))
        return quotient, self.math("FLOOR", self.math("SUBTRACT", inside, self.math("MULTIPLY", quotient, by)))

    def attribute(self, name: str, of: str = "GEOMETRY", part: str = "Fac") -> bpy.types.NodeSocket:
        """Shaders: an attribute of the GEOMETRY, a custom property of the OBJECT, or of the scene (VIEW_LAYER).

        part: Fac (one number), Color or Vector.
        """
        outputs = self.add("ShaderNodeAttribute", attribute_name=name, attribute_type=of).outputs
        return next(socket for socket in outputs if socket.identifier == part)  # 5.0 calls Fac by another name

    def named(self, name: str, data_type: str) -> bpy.types.NodeSocket:
        """Geometry nodes: an attribute of the geometry."""
        return self.add("GeometryNodeInputNamedAttribute", {"Name": name}, data_type=data_type).outputs[0]


@dataclass(frozen=True)
class Group:
    """A node group: `build` gets the nodes and the inputs by name, and returns the values of the outputs."""

    id: str
    tree: Literal["GeometryNodeTree", "ShaderNodeTree"]
    inputs: tuple[tuple[str, str], ...]
    """(label, socket type without "NodeSocket")."""
    outputs: tuple[tuple[str, str], ...]
    build: Callable[[Nodes, dict[str, bpy.types.NodeSocket]], tuple[Value, ...]]


def ensure(group: Group) -> bpy.types.NodeTree:
    """The group's tree in this file, built or brought up to date when it isn't there or has another stamp."""
    tree = next((one for one in bpy.data.node_groups if one.get(NODE_GROUP_NAME) == group.id), None)
    if tree is None:
        tree = bpy.data.node_groups.new(f"Innerwalk {group.id}", group.tree)
        tree[NODE_GROUP_NAME] = group.id
    if tree.get(VERSION_STAMP) != STAMP:
        _build(tree, group)
        tree[VERSION_STAMP] = STAMP
    return tree


def outdated() -> list[str]:
    """Ids of the groups in this file that an earlier version has built."""
    return sorted(one[NODE_GROUP_NAME] for one in bpy.data.node_groups if _is_old(one))


def forget_outdated() -> None:
    """Remove groups of an earlier version that nothing uses any more, such as copies that an appended hall brought."""
    while unused := [one for one in bpy.data.node_groups if _is_old(one) and not one.users]:
        bpy.data.batch_remove(unused)


def _is_old(tree: bpy.types.NodeTree) -> bool:
    return NODE_GROUP_NAME in tree and tree.get(VERSION_STAMP) != STAMP


def _build(tree: bpy.types.NodeTree, group: Group) -> None:
    tree.nodes.clear()
    _interface(tree, {(name, kind, "OUTPUT") for name, kind in group.outputs}, group.outputs, "OUTPUT")
    _interface(tree, {(name, kind, "INPUT") for name, kind in group.inputs}, group.inputs, "INPUT")
    nodes = Nodes(tree)
    given = {socket.name: socket for socket in nodes.add("NodeGroupInput").outputs if socket.name}
    results = group.build(nodes, given)
    nodes.add("NodeGroupOutput", dict(enumerate(results)))


def _interface(tree: bpy.types.NodeTree, wanted: set, sockets: tuple, side: Literal["INPUT", "OUTPUT"]) -> None:
    """Keeps sockets that are still wanted, with their identifiers, because modifiers hold values by these."""
    there = {}
    for item in [item for item in tree.interface.items_tree if item.item_type == "SOCKET" and item.in_out == side]:
        key = (item.name, item.socket_type.removeprefix("NodeSocket"), side)
        if key in wanted:
            there[key] = item
        else:
            tree.interface.remove(item)
    for name, kind in sockets:
        if (name, kind, side) not in there:
            tree.interface.new_socket(name, in_out=side, socket_type=f"NodeSocket{kind}")


def listing(tree: bpy.types.NodeTree) -> str:
    """The tree's wiring as sorted lines "Node.output -> Node.input", for people who compare versions."""
    lines = [f"{_title(link.from_node)}.{link.from_socket.identifier} -> "
             f"{_title(link.to_node)}.{link.to_socket.identifier}" for link in tree.links]  # fmt: skip
    return "\n".join(sorted(lines)) + "\n"


def _title(node: bpy.types.Node) -> str:
    return f"{node.name} {node.operation.lower()}" if hasattr(node, "operation") else node.name
