"""The geometry-node group that makes a panel's tiles from its points."""

from __future__ import annotations

from ...imaging import tile_grids
from .nodes import GroupInputs, NodeBuilder, NodeGroup, SocketValue

GEOMETRY = (("Geometry", "Geometry"),)
NUMBERS = tuple((name, "Int") for name in ("Columns", "Rows", "Sheet Columns", "Sheet Rows", "Channels per Cell"))
MASK = "mask"
"""Name of the tiles' attribute that selects the map's component of a texel: 1 for red, green or blue; alpha: all 0.

It lies on faces, because Cycles then reads one value instead of interpolating three.
"""


def _store(
    n: NodeBuilder,
    geometry: SocketValue,
    name: str,
    value: SocketValue,
    data_type: str = "FLOAT2",
    domain: str = "CORNER",
) -> SocketValue:
    inputs = {"Geometry": geometry, "Name": name, "Value": value}
    return n.add("GeometryNodeStoreNamedAttribute", inputs, data_type=data_type, domain=domain).outputs[0]


def _mask(n: NodeBuilder) -> SocketValue:
    _, component = n.divmod(n.named_attribute("map", "INT"), tile_grids.PER_CELL)
    return n.combine(*(n.compare(component, number, 0.25) for number in range(3)))


def _move_points(n: NodeBuilder, inputs: GroupInputs, place: SocketValue) -> SocketValue:
    """Moves each point to the centre of its cell on the panel's grid, offset by the point's own position."""
    row, column = n.divmod(place, inputs["Columns"])
    y = inputs["Rows"] - row - 0.5  # row 0 is the top one
    centre = n.combine(column + 0.5, y) * inputs["Cell"]
    position = centre + n.add("GeometryNodeInputPosition").outputs[0]
    return n.add("GeometryNodeSetPosition", {"Geometry": inputs["Geometry"], "Position": position}).outputs[0]


def _quad(n: NodeBuilder, inputs: GroupInputs) -> SocketValue:
    width, height, _ = n.separate(inputs["Cell"] * (tile_grids.FILL, tile_grids.FILL, 0.0))
    size: dict[str, SocketValue] = {"Size X": width, "Size Y": height, "Vertices X": 2, "Vertices Y": 2}
    grid = n.add("GeometryNodeMeshGrid", size)
    quad = _store(n, grid.outputs["Mesh"], "UVMap", grid.outputs["UV Map"])
    return n.add("GeometryNodeSetMaterial", {"Geometry": quad, "Material": inputs["Material"]}).outputs[0]


def _sheet_uv(n: NodeBuilder, inputs: GroupInputs) -> SocketValue:
    """Maps the quad's own UV to the map's cell on the sheet; v is flipped, because row 0 of a map is its top."""
    cell, _ = n.divmod(n.named_attribute("map", "INT"), inputs["Channels per Cell"])
    column, row = n.divmod(cell, inputs["Sheet Rows"])
    u, v, _ = n.separate(n.named_attribute("UVMap", "FLOAT_VECTOR"))
    down = row + (1.0 - v)
    sheet = n.combine(inputs["Sheet Columns"], inputs["Sheet Rows"], 1.0)
    return n.combine(column + u, down) / sheet


def _tiles(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    place = n.named_attribute("place", "INT")
    instances = {
        "Points": _move_points(n, inputs, place),
        "Instance": _quad(n, inputs),
        "Selection": place > -0.5,
    }
    tiles = n.add("GeometryNodeInstanceOnPoints", instances).outputs[0]
    mesh = n.add("GeometryNodeRealizeInstances", {0: tiles}).outputs[0]  # tiles inherit their point's attributes
    masked = _store(n, mesh, MASK, _mask(n), "FLOAT_VECTOR", "FACE")
    return (_store(n, masked, "UVMap", _sheet_uv(n, inputs)),)


TILES = NodeGroup(
    "tiles",
    "GeometryNodeTree",
    (*GEOMETRY, *NUMBERS, ("Cell", "Vector"), ("Material", "Material")),
    GEOMETRY,
    _tiles,
)
