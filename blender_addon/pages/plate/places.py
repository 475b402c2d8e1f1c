"""Places the lines, columns and boxes of a plate on its page, with the room that its edges need."""

from __future__ import annotations

from collections.abc import Sequence

from .grid import tile_pixels
from .lines import ColumnSizes, fill_width
from .model import PlateBox, PlateLayout


def place(
    layout: PlateLayout, sizes: ColumnSizes, channels: Sequence[float], sides: tuple[float, float], top: float
) -> None:
    """Places everything but edges.

    channels: heights before each line and behind the last. sides: widths of the strips left and right of the lines in
    which edges run. top: y at which the first channel begins.
    """
    style = layout.style
    left = style.margin + sides[0]
    room = style.width - style.margin - sides[1] - left
    y = top
    layout.boxes = {}
    for number, line in enumerate(layout.lines):
        line.top = y + channels[number]
        widths = fill_width(line, sizes, room)
        spare = room - sum(widths) - sum(line.gaps)
        more = 0.0 if line.is_last or len(line.gaps) < 3 else max(spare, 0.0) / (len(line.gaps) - 2)
        x = left
        for column, width in enumerate(widths):
            x += line.gaps[column] + (more if column else 0.0)
            _place_column(layout, number, column, x, width)
            x += width
        y = line.bottom
    layout.height = y + channels[-1] + style.margin


def _place_column(layout: PlateLayout, number: int, column: int, x: float, width: float) -> None:
    line, style = layout.lines[number], layout.style
    members = line.columns[column]
    kind = layout.graph.nodes[members[0]].kind
    if kind == "joint":
        area = (x, line.top, width, line.height - style.label)
        layout.boxes[members[0]] = PlateBox(members[0], number, column, *area, room=(x, x + width))
        return
    labels = style.labels(len(members))
    heights = [(line.height - labels) / len(members)] * len(members)
    if kind == "panel":
        nodes, grids = layout.graph.nodes, line.grids
        heights = [width * grids[k].rows / (grids[k].columns * nodes[k].aspect) for k in members]
        shrunk = min((line.height - labels) / sum(heights), 1.0)
        heights = [tall * shrunk for tall in heights]
    box_of = _panel_box if kind == "panel" else _board_box
    y = line.top + max(line.height - labels - sum(heights), 0.0) / 2
    for member, tall in zip(members, heights, strict=True):
        layout.boxes[member] = box_of(layout, member, number, column, (x, y, width, tall))
        y += tall + style.label + style.stack


def _board_box(
    layout: PlateLayout, node: int, line: int, column: int, area: tuple[float, float, float, float]
) -> PlateBox:
    """Returns the box of a board in the middle of an area (x, y, width, height); pictures keep their proportions."""
    x, y, width, height = area
    aspect = layout.graph.nodes[node].aspect
    lines = layout.graph.nodes[node].lines * layout.style.line_height
    tall = min(height, width / aspect if aspect else lines)
    wide = min(width, tall * aspect) if aspect else width
    left, top = x + (width - wide) / 2, y + (height - tall) / 2
    return PlateBox(node, line, column, left, top, wide, tall, room=(x, x + width))


def _panel_box(
    layout: PlateLayout, node: int, line: int, column: int, area: tuple[float, float, float, float]
) -> PlateBox:
    """Returns the box of a panel in the middle of an area (x, y, width, height), on whole pixels."""
    grid, pixel = layout.lines[line].grids[node], layout.style.pixel
    x, y, width, height = area
    found = layout.graph.nodes[node]
    tile = tile_pixels(grid, width, height, found.aspect, pixel, layout.style.most_tile(found.texels))
    wide, tall = (count * (side + 1) - 1 for count, side in zip((grid.columns, grid.rows), tile, strict=True))
    left, top = round((x + (width - wide * pixel) / 2) / pixel), round((y + (height - tall * pixel) / 2) / pixel)
    return PlateBox(
        node, line, column, left * pixel, top * pixel, wide * pixel, tall * pixel, grid, tile, (x, x + width)
    )
