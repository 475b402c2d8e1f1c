"""Lays out a plate: the whole network on a page, in lines that are read like text, most of it maps."""

from __future__ import annotations

from collections.abc import Sequence

from ....torch_bridge.recording.errors import SceneError
from .graph import PlateGraph
from .lines import ColumnSizes, break_lines, columns_of
from .model import PlateLayout, PlateStyle
from .places import place
from .routes import PlateRoom, Router

STACKS = (4, 3, 2, 1)
"""Numbers of parallel branches that may stand one above the other."""
HEIGHTS = tuple(120 / 1.17**k for k in range(24))
"""Heights of panels that are tried, mm: 120 to 3.2."""
GOALS = ((4, 0.25, 0.2), (30, 0.44, 0.40), (110, 0.30, 0.25))
"""Up to so many panels: the share of the page that tiles should cover before edges take their room, and the least."""
CANDIDATES = 16
"""Layouts that are tried with edges, until one has the least share of tiles."""
TALLEST = 235.0
"""Height of a printed page's type area, mm."""
NARROW, MISSING, PARALLEL, HEIGHT = 2.0, 4.0, 0.05, 0.0005
"""Costs: where all panels have too little room for their shape, where tiles miss all of their share, of a branch that
does not stand above another, and of a millimetre of height. A page that is twice too tall costs 1."""
ROUNDS = 5


def lay_out_plate(graph: PlateGraph, style: PlateStyle, top: float, bottom: float = 0.0) -> PlateLayout:
    """Lays out a plate on a page `style.width` mm wide, whose height follows.

    top, bottom: heights that are left free for a title above and a legend below, mm. The smallest page on which tiles
    cover the share of GOALS is taken, with parallel branches one above the other where that is possible. Raises
    SceneError where the edges leave no room for panels.
    """
    panels = sum(node.kind == "panel" for node in graph.nodes)
    goal, law = next((shares for most, *shares in GOALS if panels <= most), GOALS[-1][1:])
    tries = []
    for most in STACKS:
        columns = columns_of(graph, most)
        if most == 1 or max(map(len, columns)) == most:
            for height in HEIGHTS:
                sizes = ColumnSizes(graph, style, height)
                layout = _first_try(graph, columns, sizes, top, bottom)
                tries.append((_cost(layout, goal, most), layout, sizes))
    tries.sort(key=lambda tried: tried[0])
    best: PlateLayout | None = None
    for _, layout, sizes in tries[:CANDIDATES]:
        layout = _with_edges(layout, sizes, top, bottom)
        if not _fits(layout):
            continue
        if layout.tile_share >= law:
            return layout
        if best is None or layout.tile_share > best.tile_share:
            best = layout
    if best is None:
        raise SceneError(f"the edges of {panels} panels fill a page {style.width:g} mm wide; choose a larger width")
    return best


def _fits(layout: PlateLayout) -> bool:
    """Returns whether everything stands on the page, and every panel has some width."""
    right = layout.style.width - layout.style.margin + 0.01
    return all(box.x >= 0 and box.width > 0 and box.right <= right for box in layout.boxes.values())


def _cost(layout: PlateLayout, goal: float, most: int) -> float:
    """Returns how far a layout is from what is wanted: readable, on one page, mostly maps, branches parallel, small."""
    rooms = [box.room[1] - box.room[0] for box in layout.boxes.values() if box.grid is not None]
    narrow = sum(room < layout.style.narrowest for room in rooms) / max(len(rooms), 1)
    too_tall = max(layout.height / TALLEST - 1, 0.0)
    missing = max(goal - layout.tile_share, 0.0)
    return NARROW * narrow + too_tall + MISSING * missing - PARALLEL * most + HEIGHT * layout.height


def _first_try(
    graph: PlateGraph, columns: Sequence[list[int]], sizes: ColumnSizes, top: float, bottom: float
) -> PlateLayout:
    """Returns a layout with usual room for edges."""
    layout = PlateLayout(graph, sizes.style, break_lines(columns, sizes))
    channels = [0.0] + [2 * sizes.style.pitch + 0.6] * (len(layout.lines) - 1) + [bottom]
    place(layout, sizes, channels, (0.0, 0.0), top)
    return layout


def _with_edges(layout: PlateLayout, sizes: ColumnSizes, top: float, bottom: float) -> PlateLayout:
    """Places a layout again with the room that its edges need, until that is enough, and routes them."""
    count = len(layout.lines)
    room = PlateRoom([[0.0] * len(line.gaps) for line in layout.lines], [0.0] * (count + 1), (0.0, 0.0))
    router = Router(layout)
    room.enlarge(router.route())
    for _ in range(ROUNDS):
        for line, gaps in zip(layout.lines, room.gaps, strict=True):
            line.gaps = list(gaps)
        place(layout, sizes, [*room.channels[:-1], room.channels[-1] + bottom], room.sides, top)
        router = Router(layout)
        if not room.enlarge(router.route()):
            break
    layout.edges = router.edges()
    return layout
