"""The shared geometry-node group that makes a panel's tiles out of its points."""

from __future__ import annotations

import bpy

from ...imaging import atlas
from .nodes import Group, Nodes, Value

Sockets = dict[str, bpy.types.NodeSocket]
GEOMETRY = (("Geometry", "Geometry"),)
NUMBERS = tuple((name, "Int") for name in ("Columns", "Rows", "Sheet Columns", "Sheet Rows", "Channels per Cell"))


MASK = "mask"
"""What the shader reads of a tile, on faces because Cycles then fetches one value instead of three to interpolate:
1 where the channel is the texel's red, green or blue (alpha: all 0)."""


def _store(n: Nodes, geometry: Value, name: str, value: Value, kind: str = "FLOAT2", domain: str = "CORNER") -> Value:
    inputs = {"Geometry": geometry, "Name": name, "Value": value}
    return n.add("GeometryNodeStoreNamedAttribute", inputs, data_type=kind, domain=domain).outputs[0]


def _mask(n: Nodes) -> Value:
    _, component = n.divmod(n.named("channel", "INT"), atlas.PER_CELL)
    return n.xyz(*(n.math("COMPARE", component, number, 0.25) for number in range(3)))


def _placed(n: Nodes, given: Sockets, place: Value) -> Value:
    """Points at the middle of their places, as far from there as their own positions say."""
    row, column = n.divmod(place, given["Columns"])
    from_bottom = n.math("SUBTRACT", n.math("SUBTRACT", given["Rows"], row), 0.5)
    at = n.vector("MULTIPLY", n.xyz(n.math("ADD", column, 0.5), from_bottom), given["Cell"])
    at = n.vector("ADD", at, n.add("GeometryNodeInputPosition").outputs[0])
    return n.add("GeometryNodeSetPosition", {"Geometry": given["Geometry"], "Position": at}).outputs[0]


def _quad(n: Nodes, given: Sockets) -> Value:
    width, height, _ = n.split(n.vector("MULTIPLY", given["Cell"], (atlas.FILL, atlas.FILL, 0.0)))
    size: dict[str, Value] = {"Size X": width, "Size Y": height, "Vertices X": 2, "Vertices Y": 2}
    grid = n.add("GeometryNodeMeshGrid", size)
    quad = _store(n, grid.outputs["Mesh"], "UVMap", grid.outputs["UV Map"])
    return n.add("GeometryNodeSetMaterial", {"Geometry": quad, "Material": given["Material"]}).outputs[0]


def _on_sheet(n: Nodes, given: Sockets) -> Value:
    """The quad's own UV -> the channel's cell on the sheet; upside down, because row 0 of a map is its top."""
    cell, _ = n.divmod(n.named("channel", "INT"), given["Channels per Cell"])
    column, row = n.divmod(cell, given["Sheet Rows"])
    u, v, _ = n.split(n.named("UVMap", "FLOAT_VECTOR"))
    down = n.math("ADD", row, n.math("SUBTRACT", 1.0, v))
    sheet = n.xyz(given["Sheet Columns"], given["Sheet Rows"], 1.0)
    return n.vector("DIVIDE", n.xyz(n.math("ADD", column, u), down), sheet)


def _tiles(n: Nodes, given: Sockets) -> tuple[Value, ...]:
    place = n.named("place", "INT")
    inputs = {"Points": _placed(n, given, place), "Instance": _quad(n, given),
              "Selection": n.math("GREATER_THAN", place, -0.5)}  # fmt: skip
    tiles = n.add("GeometryNodeInstanceOnPoints", inputs).outputs[0]
    real = n.add("GeometryNodeRealizeInstances", {0: tiles}).outputs[0]  # tiles take their point's attributes along
    real = _store(n, real, MASK, _mask(n), "FLOAT_VECTOR", "FACE")
    return (_store(n, real, "UVMap", _on_sheet(n, given)),)


TILES = Group("tiles", "GeometryNodeTree", (*GEOMETRY, *NUMBERS, ("Cell", "Vector"), ("Material", "Material")),
              GEOMETRY, _tiles)  # fmt: skip
