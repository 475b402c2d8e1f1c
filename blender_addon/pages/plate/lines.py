"""Puts nodes into columns, with parallel branches one above the other, and breaks the columns into lines.

Lines are broken as a text is, so that each fills the page's width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from .graph import PlateGraph, PlateNode
from .grid import PlateGrid, choose_grid
from .model import PlateLine, PlateStyle

REACH = 8
"""Columns that a branch may begin before the newest one; earlier ones are full of other parts of the network."""
FULLEST = 1.3
"""Natural width of a line over the page's width that is still squeezed into it."""
RAGGED_COST = 0.5
"""What the squared logarithm of a last line's fullness costs, against that of another line."""
LINE_COST = 0.004
"""Cost of each line."""
ROUNDING = 0.01
"""Added to the length of a text that has to fit, mm."""
STRETCH, SQUEEZE, LAST_STRETCH = 1.5, 0.6, 1.3
"""How much a line's height may differ from the wanted one, to make it as wide as the page."""


def columns_of(graph: PlateGraph, most: int) -> list[list[int]]:
    """Returns the nodes of each column from top to bottom: at most so many panels, inputs or outputs, or one joint.

    Every link leads to a later column, and outputs stand behind everything else.
    """
    sources: list[list[int]] = [[] for _ in graph.nodes]
    for source, target in graph.links:
        sources[target].append(source)
    column: list[int] = []
    found: list[list[int]] = []
    behind = 0
    for k, node in enumerate(graph.nodes):
        place = max((column[source] + 1 for source in sources[k]), default=0)
        place = max(place, len(found) - REACH, behind if node.kind == "output" else 0)
        while place < len(found) and not _has_room(graph, found[place], k, most):
            place += 1
        if place == len(found):
            found.append([])
        found[place].append(k)
        column.append(place)
        behind = behind if node.kind == "output" else len(found)
    return _in_order(found, sources)


def _has_room(graph: PlateGraph, members: Sequence[int], node: int, most: int) -> bool:
    kinds = {graph.nodes[k].kind for k in (*members, node)}
    return len(kinds) == 1 and kinds != {"joint"} and len(members) < most


def _in_order(columns: list[list[int]], sources: Sequence[Sequence[int]]) -> list[list[int]]:
    """Sorts each column by the mean height of what its nodes read, so that fewer edges cross."""
    height: dict[int, float] = {}
    found = []
    for members in columns:
        means = {k: sum(height[s] for s in sources[k]) / len(sources[k]) if sources[k] else 0.5 for k in members}
        ordered = sorted(members, key=lambda k: (round(means[k], 3), k))
        height.update({k: (place + 0.5) / len(ordered) for place, k in enumerate(ordered)})
        found.append(ordered)
    return found


class ColumnSizes:
    """Widths of columns for panels of about `height` mm, with room for their shortest names or for numbers."""

    def __init__(self, graph: PlateGraph, style: PlateStyle, height: float, has_names: bool) -> None:
        self.graph, self.style, self.height, self.has_names = graph, style, height, has_names
        self.grid = cache(self._grid)

    def line_height(self, stacked: int) -> float:
        """Returns the height of a line with so many panels in its fullest column, with their labels."""
        return stacked * (self.height + self.style.label) + (stacked - 1) * self.style.stack

    def _grid(self, node: int, count: int, stacked: int) -> PlateGrid:
        """Returns the grid of one of `count` panels of a column, in a line of `stacked`."""
        panel = self.graph.nodes[node]
        tall = (self.line_height(stacked) - self.style.labels(count)) / count
        shape = min(max(self.height / tall, 0.3), 1.0)
        return choose_grid(
            panel.channels, panel.aspect, tall * tall * shape, shape, self.style.least_tile(panel.texels)
        )

    def slope(self, members: Sequence[int], stacked: int) -> float:
        """Returns the width of a column of panels over the height that all of them have together."""
        shares = 0.0
        for node in members:
            grid = self.grid(node, len(members), stacked)
            shares += grid.rows / (grid.columns * self.graph.nodes[node].aspect)
        return 1 / shares

    def fixed(self, members: Sequence[int], stacked: int) -> float:
        """Returns the width of a column that doesn't grow with its line of `stacked`, or -1."""
        nodes = [self.graph.nodes[node] for node in members]
        if nodes[0].kind != "panel":
            return max(self._fixed(node) for node in nodes)
        if len(members) > stacked:
            return 0.0
        natural, least = self._natural(members, stacked), max(map(self.least, members))
        if SQUEEZE * natural < least:
            return max(natural, least)
        widest = max(least, *(self.widest(node, len(members), stacked) for node in members))
        return widest if natural > widest else -1.0

    def least(self, node: int) -> float:
        """Returns the least width of a panel: that of its name, or of a number that stands for it."""
        name = self.style.length(self.graph.nodes[node].label) + ROUNDING
        return name if self.has_names else min(name, self.style.number)

    def widest(self, node: int, count: int, stacked: int) -> float:
        """Returns the width of a panel whose tiles are as large as any, with room for its name."""
        panel, grid = self.graph.nodes[node], self.grid(node, count, stacked)
        most = grid.columns * self.style.most_tile(panel.texels) * min(panel.aspect, 1.0)
        return max(most, self.style.narrowest)

    def _fixed(self, node: PlateNode) -> float:
        if node.kind == "joint":
            return self.style.bar
        if not node.aspect:
            return self.style.board
        wide = min(max(self.height * min(max(node.aspect, 0.4), 1.5), self.style.narrowest), 0.2 * self.style.width)
        return max(wide, min(self.style.length(node.label) + ROUNDING, self.style.board))

    def width(self, members: Sequence[int], stacked: int) -> float:
        """Returns the natural width of a column in a line of `stacked` panels."""
        if len(members) > stacked:
            return 0.0
        fixed = self.fixed(members, stacked)
        return fixed if fixed >= 0 else self._natural(members, stacked)

    def _natural(self, members: Sequence[int], stacked: int) -> float:
        return (self.line_height(stacked) - self.style.labels(len(members))) * self.slope(members, stacked)


def break_lines(columns: Sequence[list[int]], sizes: ColumnSizes) -> list[PlateLine]:
    """Returns the lines with the least squared logarithms of their natural over the page's width."""
    style, count = sizes.style, len(columns)
    room = style.width - 2 * style.margin
    sums = {
        stacked: [0.0, *accumulate(sizes.width(members, stacked) for members in columns)]
        for stacked in range(1, max(map(len, columns)) + 1)
    }
    rigid = {
        stacked: [0.0, *accumulate(max(sizes.fixed(members, stacked), 0.0) for members in columns)] for stacked in sums
    }
    best: list[tuple[float, int]] = [(0.0, 0)] + [(math.inf, 0)] * count
    for end in range(1, count + 1):
        stacked = 0
        for start in range(end - 1, -1, -1):
            stacked = max(stacked, len(columns[start]))
            natural = sums[stacked][end] - sums[stacked][start]
            fullness = (natural + (end - start) * style.gap) / room
            least = rigid[stacked][end] - rigid[stacked][start] + (end - start) * style.gap
            if max(fullness / FULLEST, least / room) > 1 and end - start > 1:
                break
            cost = best[start][0] + LINE_COST + _cost(fullness, end == count)
            best[end] = min(best[end], (cost, start))
    ends = [count]
    while ends[-1] > 0:
        ends.append(best[ends[-1]][1])
    ends.reverse()
    return [_line(columns[first:last], sizes, last == count) for first, last in zip(ends[:-1], ends[1:], strict=True)]


def _cost(fullness: float, is_last: bool) -> float:
    if is_last and fullness < 1:
        return RAGGED_COST * math.log(fullness) ** 2
    return math.log(fullness) ** 2


def _line(columns: Sequence[list[int]], sizes: ColumnSizes, is_last: bool) -> PlateLine:
    stacked = max(map(len, columns))
    grids = {
        node: sizes.grid(node, len(members), stacked)
        for members in columns
        for node in members
        if sizes.graph.nodes[node].kind == "panel"
    }
    gaps = [sizes.style.gap / 2] + [sizes.style.gap] * (len(columns) - 1) + [sizes.style.gap / 2]
    return PlateLine(list(columns), grids, sizes.line_height(stacked), gaps, is_last)


def fill_width(line: PlateLine, sizes: ColumnSizes, room: float) -> list[float]:
    """Sets a line's height so that it is about `room` mm wide, and returns the widths of its columns."""
    wanted = sizes.line_height(line.stacked)
    fixed = [sizes.fixed(members, line.stacked) for members in line.columns]
    slopes = [
        sizes.slope(members, line.stacked) if wide < 0 else 0.0
        for members, wide in zip(line.columns, fixed, strict=True)
    ]
    lost = [sizes.style.labels(len(members)) for members in line.columns]
    used = sum(line.gaps) + sum(max(wide, 0.0) for wide in fixed)
    total = sum(slopes)
    height = (
        (room - used + sum(slope * less for slope, less in zip(slopes, lost, strict=True))) / total if total else wanted
    )
    line.height = min(max(height, SQUEEZE * wanted), (LAST_STRETCH if line.is_last else STRETCH) * wanted)
    return [
        slope * (line.height - less) if slope else wide for slope, less, wide in zip(slopes, lost, fixed, strict=True)
    ]
