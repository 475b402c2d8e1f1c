"""Lays out a plate: the whole network on a page, in lines that are read like text, most of it maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from ....torch_bridge.recording.errors import SceneError
from .graph import PlateGraph
from .labels import PlateLabels, key_height
from .lines import ColumnSizes, break_lines, columns_of
from .model import PlateLayout, PlateStyle
from .places import place
from .routes import PlateRoom, Router

STACKS = (4, 3, 2, 1)
"""Numbers of parallel branches that may stand one above the other."""
HEIGHTS = tuple(60 / 1.08**k for k in range(38))
"""Heights of panels that are tried, mm: 60 to 3.5."""
GOALS = ((4, 0.25, 0.2), (30, 0.44, 0.40), (110, 0.30, 0.25))
"""Up to so many panels: the share of the page that tiles should cover before edges take their room, and the least."""
CANDIDATES = 16
"""Layouts that are tried with edges, until one has the least share of tiles."""
NARROW, MISSING, PARALLEL, HEIGHT = 2.0, 4.0, 0.05, 0.0005
"""Costs: where all panels have too little room for their names, where tiles miss all of their share, of a branch that
does not stand above another, and of a millimetre of height. A page that is twice too tall costs 1."""
LEAST_SHARE = 0.25
"""Share of the page that tiles cover, below which larger blocks are collapsed."""
MOST_NUMBERED = 1 / 3
"""Share of the nodes with numbers for names, beyond which larger blocks are collapsed."""
ROUNDS = 5


LabelledLayout = tuple[PlateLayout, PlateLabels]


def fit_plate(
    graphs: Iterable[PlateGraph], style: PlateStyle, top: float, label: Callable[[PlateLayout], PlateLabels]
) -> LabelledLayout:
    """Lays out and labels the first of ever smaller graphs of a network whose plate is no taller than a page.

    top: height that is left free for a title, mm. label: returns the labels of a layout, whose key gets room below.
    Where no plate is all that is wanted, one that is no taller than a page comes before the others. Raises SceneError
    where the edges leave no room for panels.
    """
    best: LabelledLayout | None = None
    graph = None
    for graph in graphs:
        found = lay_out_plate(graph, style, top, label)
        if found is not None and _is_good(found, LEAST_SHARE):
            return found
        if found is not None and (best is None or _rank(found) > _rank(best)):
            best = found
    if best is None:
        panels = sum(node.kind == "panel" for node in graph.nodes) if graph else 0
        raise SceneError(f"the edges of {panels} panels fill a page {style.width:g} mm wide; choose a larger width")
    return best


def lay_out_plate(
    graph: PlateGraph, style: PlateStyle, top: float, label: Callable[[PlateLayout], PlateLabels]
) -> LabelledLayout | None:
    """Lays out a plate on a page `style.width` mm wide, whose height follows.

    top, label: as of `fit_plate`. The smallest page on which tiles cover the share of GOALS is
    taken, with parallel branches one above the other where that is possible. None where the edges leave no room.
    """
    panels = sum(node.kind == "panel" for node in graph.nodes)
    goal, law = next((shares for most, *shares in GOALS if panels <= most), GOALS[-1][1:])
    tried: dict[tuple[float, float], tuple[PlateLayout, ColumnSizes]] = {}  # by cost and height, each layout once
    for most in STACKS:
        columns = columns_of(graph, most)
        if most == 1 or max(map(len, columns)) == most:
            for height, has_names in product(HEIGHTS, (True, False)):
                sizes = ColumnSizes(graph, style, height, has_names)
                layout = _first_try(graph, columns, sizes, top)
                if _fits(layout):
                    tried.setdefault((_cost(layout, goal, most), layout.height), (layout, sizes))
    tries = [tried[key] for key in sorted(tried)]
    pages = [pair for pair in tries if is_page(pair[0])]
    # edges make plates taller, and shares of tiles smaller
    full = [pair for pair in pages if pair[0].tile_share >= law][:CANDIDATES]
    spare = [pair for pair in pages if LEAST_SHARE <= pair[0].tile_share < law][:CANDIDATES]
    best: LabelledLayout | None = None
    for layout, sizes in [*full, *spare] or tries[:CANDIDATES]:
        layout = _with_edges(layout, sizes, top)
        if not _fits(layout):
            continue
        found = layout, label(layout)
        layout.height += key_height(found[1].key, style)
        if _is_good(found, law):
            return found
        if best is None or _rank(found) > _rank(best):
            best = found
    return best


def _is_good(found: LabelledLayout, share: float) -> bool:
    """Returns whether a plate is no taller than a page, with tiles on such a share of it, and most nodes are named."""
    return is_page(found[0]) and _is_named(found[1]) and found[0].tile_share >= share


def _is_named(labels: PlateLabels) -> bool:
    return len(labels.key) <= MOST_NUMBERED * len(labels.names)


def is_page(layout: PlateLayout) -> bool:
    """Returns whether a plate is no taller than a page."""
    return layout.height <= layout.style.tallest


def _rank(found: LabelledLayout) -> tuple[bool, bool, float]:
    """Returns what is larger for the better one of two plates that both miss what is wanted."""
    layout, labels = found
    fits = is_page(layout)
    return fits, _is_named(labels), layout.tile_share if fits else -layout.height


def _fits(layout: PlateLayout) -> bool:
    """Returns whether everything stands on the page, and every panel has some width."""
    right = layout.style.width - layout.style.margin + 0.01
    ends = (x for edge in layout.edges for piece in edge.segments for x, _ in piece)
    return all(0 <= x <= layout.style.width for x in ends) and all(
        box.room[0] >= 0 and box.room[1] <= right and 0 < box.width <= box.room[1] - box.room[0] + 0.1
        for box in layout.boxes.values()
    )


def _cost(layout: PlateLayout, goal: float, most: int) -> float:
    """Returns how far a layout is from what is wanted: readable, on one page, mostly maps, branches parallel, small."""
    style, nodes = layout.style, layout.graph.nodes
    panels = [box for box in layout.boxes.values() if box.grid is not None]
    wanted = [max(style.narrowest, style.length(nodes[box.node].label)) for box in panels]
    rooms = [box.room[1] - box.room[0] for box in panels]
    narrow = sum(room < least for room, least in zip(rooms, wanted, strict=True)) / max(len(panels), 1)
    too_tall = max(layout.height / style.tallest - 1, 0.0)
    missing = max(goal - layout.tile_share, 0.0)
    return NARROW * narrow + too_tall + MISSING * missing - PARALLEL * most + HEIGHT * layout.height


def _first_try(graph: PlateGraph, columns: Sequence[list[int]], sizes: ColumnSizes, top: float) -> PlateLayout:
    """Returns a layout with usual room for edges."""
    layout = PlateLayout(graph, sizes.style, break_lines(columns, sizes))
    channels = [0.0] + [2 * sizes.style.pitch + 0.6] * (len(layout.lines) - 1) + [0.0]
    place(layout, sizes, channels, (0.0, 0.0), top)
    return layout


def _with_edges(layout: PlateLayout, sizes: ColumnSizes, top: float) -> PlateLayout:
    """Places a layout again with the room that its edges need, until that is enough, and routes them."""
    count = len(layout.lines)
    room = PlateRoom([[0.0] * len(line.gaps) for line in layout.lines], [0.0] * (count + 1), (0.0, 0.0))
    router = Router(layout)
    room.enlarge(router.route())
    for _ in range(ROUNDS):
        for line, gaps in zip(layout.lines, room.gaps, strict=True):
            line.gaps = list(gaps)
        place(layout, sizes, room.channels, room.sides, top)
        router = Router(layout)
        if not room.enlarge(router.route()):
            break
    layout.edges = router.edges()
    return layout
