"""Builds node groups from Python expressions.

Wherever a node's input takes a number, it also takes an output socket. Each group carries its id and a version stamp
in custom properties: `ensure_group` finds a group by id and rebuilds it in place if its stamp is older, so that files
of earlier versions are updated and keep the objects and materials that use the group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import bpy

from ...properties import NODE_GROUP_NAME, VERSION_STAMP

STAMP = 3
"""Version of all node groups. Raise it with every change to one; tests/support/golden shows the change."""


NODE_SPACING = (220.0, 320.0)
"""Units of the node editor from one node to the next, across and down."""


class Socket:
    """An output socket in an expression: each operator adds a Math node, or a Vector Math node for vectors."""

    def __init__(self, builder: NodeBuilder, output: bpy.types.NodeSocket) -> None:
        self.builder, self.output = builder, output

    def __add__(self, other: SocketValue) -> Socket:
        return self._operate("ADD", self, other)

    def __radd__(self, other: SocketValue) -> Socket:
        return self._operate("ADD", other, self)

    def __sub__(self, other: SocketValue) -> Socket:
        return self._operate("SUBTRACT", self, other)

    def __rsub__(self, other: SocketValue) -> Socket:
        return self._operate("SUBTRACT", other, self)

    def __mul__(self, other: SocketValue) -> Socket:
        return self._operate("MULTIPLY", self, other)

    def __rmul__(self, other: SocketValue) -> Socket:
        return self._operate("MULTIPLY", other, self)

    def __truediv__(self, other: SocketValue) -> Socket:
        return self._operate("DIVIDE", self, other)

    def __pow__(self, exponent: SocketValue) -> Socket:
        return self.builder.math("POWER", self, exponent)

    def __lt__(self, other: SocketValue) -> Socket:
        return self.builder.math("LESS_THAN", self, other)

    def __gt__(self, other: SocketValue) -> Socket:
        return self.builder.math("GREATER_THAN", self, other)

    def _operate(self, operation: str, *operands: SocketValue) -> Socket:
        node = self.builder.vector_math if self.output.type == "VECTOR" else self.builder.math
        return node(operation, *operands)


SocketValue = Socket | bpy.types.NodeSocket | float | int | bool | str | tuple | bpy.types.ID
"""What an input socket takes: a link from an output socket, or a constant of the input's type."""


class NodeBuilder:
    """Adds nodes to a node tree."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(self, node_type: str, inputs: Mapping[Any, SocketValue] | None = None, **settings: Any) -> bpy.types.Node:
        """Adds a node with its settings and inputs; inputs are named by label or index."""
        node = self.tree.nodes.new(node_type)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.set_input(node.inputs[key], value)
        return node

    def set_input(self, socket: bpy.types.NodeSocket, value: SocketValue) -> None:
        """Links an output socket to an input socket, or sets the input's constant."""
        output = value.output if isinstance(value, Socket) else value
        if isinstance(output, bpy.types.NodeSocket):
            self.tree.links.new(output, socket)
        else:
            socket.default_value = output

    def math(self, operation: str, *operands: SocketValue, clamp: bool = False) -> Socket:
        """Adds a Math node. clamp: limit its result to 0..1."""
        node = self.add("ShaderNodeMath", dict(enumerate(operands)), operation=operation, use_clamp=clamp)
        return self.socket(node.outputs[0])

    def vector_math(self, operation: str, *operands: SocketValue) -> Socket:
        """Adds a Vector Math node; DOT_PRODUCT and LENGTH give a number."""
        outputs = self.add("ShaderNodeVectorMath", dict(enumerate(operands)), operation=operation).outputs
        return self.socket(outputs["Value" if operation in ("DOT_PRODUCT", "LENGTH") else "Vector"])

    def socket(self, output: bpy.types.NodeSocket) -> Socket:
        """Wraps an output socket for use with operators."""
        return Socket(self, output)

    def minimum(self, first: SocketValue, second: SocketValue) -> Socket:
        """Returns the smaller of two numbers."""
        return self.math("MINIMUM", first, second)

    def maximum(self, first: SocketValue, second: SocketValue) -> Socket:
        """Returns the larger of two numbers."""
        return self.math("MAXIMUM", first, second)

    def floor(self, number: SocketValue) -> Socket:
        """Rounds a number down."""
        return self.math("FLOOR", number)

    def compare(self, first: SocketValue, second: SocketValue, tolerance: SocketValue) -> Socket:
        """Returns 1 if two numbers differ by at most the tolerance, else 0."""
        return self.math("COMPARE", first, second, tolerance)

    def multiply_add(
        self, number: SocketValue, factor: SocketValue, addend: SocketValue, *, clamp: bool = False
    ) -> Socket:
        """Returns number * factor + addend."""
        return self.math("MULTIPLY_ADD", number, factor, addend, clamp=clamp)

    def divmod(self, number: SocketValue, divisor: SocketValue) -> tuple[Socket, Socket]:
        """Returns quotient and remainder of two whole numbers."""
        inside = self.math("ADD", number, 0.5)  # away from whole numbers, so that rounding can't change the quotient
        quotient = self.floor(inside / divisor)
        return quotient, self.floor(inside - quotient * divisor)

    def dot(self, first: SocketValue, second: SocketValue) -> Socket:
        """Returns the dot product of two vectors."""
        return self.vector_math("DOT_PRODUCT", first, second)

    def combine(self, *components: SocketValue) -> Socket:
        """Returns a vector of up to three components."""
        return self.socket(self.add("ShaderNodeCombineXYZ", dict(enumerate(components))).outputs[0])

    def separate(self, vector: SocketValue) -> tuple[Socket, Socket, Socket]:
        """Returns the three components of a vector."""
        x, y, z = self.add("ShaderNodeSeparateXYZ", {0: vector}).outputs
        return self.socket(x), self.socket(y), self.socket(z)

    def mix_colours(self, factor: SocketValue, first: SocketValue, second: SocketValue) -> Socket:
        """Returns the first colour for factor 0, the second for 1, and a blend between."""
        inputs: dict[str | int, SocketValue] = {0: factor, 6: first, 7: second}
        return self.socket(self.add("ShaderNodeMix", inputs, data_type="RGBA").outputs[2])

    def mix_numbers(self, factor: SocketValue, first: SocketValue, second: SocketValue) -> Socket:
        """Returns the first number for factor 0, the second for 1, and a blend between."""
        node = self.add("ShaderNodeMix", {0: factor, 2: first, 3: second}, data_type="FLOAT")
        return self.socket(node.outputs[0])

    def attribute(self, name: str, source: str = "GEOMETRY", output: str = "Fac") -> Socket:
        """Reads an attribute in a shader.

        source: GEOMETRY, or custom properties of the OBJECT. output: Fac (a number), Color, Vector, or Alpha (the
        fourth number).
        """
        outputs = self.add("ShaderNodeAttribute", attribute_name=name, attribute_type=source).outputs
        return self.socket(next(socket for socket in outputs if socket.identifier == output))  # 5.0 renamed Fac

    def named_attribute(self, name: str, data_type: str) -> Socket:
        """Reads an attribute of the geometry in geometry nodes."""
        return self.socket(self.add("GeometryNodeInputNamedAttribute", {"Name": name}, data_type=data_type).outputs[0])


GroupInputs = dict[str, Socket]
"""The inputs of a node group by label."""


@dataclass(frozen=True)
class NodeGroup:
    """A node group: `build` gets a node builder and the group's inputs, and returns the values of its outputs."""

    id: str
    tree_type: Literal["GeometryNodeTree", "ShaderNodeTree"]
    inputs: tuple[tuple[str, str], ...]
    """Pairs of label and socket type, the type without "NodeSocket"."""
    outputs: tuple[tuple[str, str], ...]
    build: Callable[[NodeBuilder, GroupInputs], tuple[SocketValue, ...]]


def ensure_group(group: NodeGroup) -> bpy.types.NodeTree:
    """Returns the group's tree in this file; builds it if it is missing or has another version stamp."""
    tree = next((tree for tree in bpy.data.node_groups if tree.get(NODE_GROUP_NAME) == group.id), None)
    if tree is None:
        tree = bpy.data.node_groups.new(f"Innerwalk {group.id}", group.tree_type)
        tree[NODE_GROUP_NAME] = group.id
    if tree.get(VERSION_STAMP) != STAMP:
        _build(tree, group)
        tree[VERSION_STAMP] = STAMP
    return tree


def spread_nodes(tree: bpy.types.NodeTree) -> None:
    """Places the nodes of a tree apart, in columns from the inputs to the outputs, for people who open it."""
    sources: dict[str, list[str]] = {}
    for link in tree.links:
        sources.setdefault(link.to_node.name, []).append(link.from_node.name)
    columns = {node.name: 0 for node in tree.nodes if not any(output.links for output in node.outputs)}
    reached = list(columns)
    for name in reached:  # grows meanwhile; a tree has no circles
        for source in sources.get(name, ()):
            if columns.get(source, -1) < columns[name] + 1:
                columns[source] = columns[name] + 1
                reached.append(source)
    rows: dict[int, int] = {}
    for node in tree.nodes:
        column = columns.get(node.name, 0)
        node.location = (-NODE_SPACING[0] * column, -NODE_SPACING[1] * rows.get(column, 0))
        rows[column] = rows.get(column, 0) + 1


def outdated_groups() -> list[str]:
    """Returns the ids of this file's groups that another version has built."""
    return sorted(tree[NODE_GROUP_NAME] for tree in bpy.data.node_groups if _is_outdated(tree))


def remove_outdated_groups() -> None:
    """Removes unused groups of other versions, such as copies that came with an appended hall."""
    while unused := [tree for tree in bpy.data.node_groups if _is_outdated(tree) and not tree.users]:
        bpy.data.batch_remove(unused)


def list_links(tree: bpy.types.NodeTree) -> str:
    """Returns the tree's links as sorted lines "Node.output -> Node.input", to compare versions."""
    lines = [
        f"{_title(link.from_node)}.{link.from_socket.identifier} -> {_title(link.to_node)}.{link.to_socket.identifier}"
        for link in tree.links
    ]
    return "\n".join(sorted(lines)) + "\n"


def _is_outdated(tree: bpy.types.NodeTree) -> bool:
    return NODE_GROUP_NAME in tree and tree.get(VERSION_STAMP) != STAMP


def _build(tree: bpy.types.NodeTree, group: NodeGroup) -> None:
    tree.nodes.clear()
    _set_interface(tree, group.outputs, "OUTPUT")
    _set_interface(tree, group.inputs, "INPUT")
    builder = NodeBuilder(tree)
    outputs = builder.add("NodeGroupInput").outputs
    inputs = {output.name: builder.socket(output) for output in outputs if output.name}
    results = group.build(builder, inputs)
    builder.add("NodeGroupOutput", dict(enumerate(results)))
    spread_nodes(tree)


def _set_interface(
    tree: bpy.types.NodeTree, sockets: tuple[tuple[str, str], ...], side: Literal["INPUT", "OUTPUT"]
) -> None:
    """Sets a tree's sockets; those that stay keep their identifiers, under which modifiers store values."""
    existing = set()
    for item in [item for item in tree.interface.items_tree if item.item_type == "SOCKET" and item.in_out == side]:
        key = (item.name, item.socket_type.removeprefix("NodeSocket"))
        if key in sockets:
            existing.add(key)
        else:
            tree.interface.remove(item)
    for name, socket_type in sockets:
        if (name, socket_type) not in existing:
            tree.interface.new_socket(name, in_out=side, socket_type=f"NodeSocket{socket_type}")


def _title(node: bpy.types.Node) -> str:
    return f"{node.name} {node.operation.lower()}" if hasattr(node, "operation") else node.name
