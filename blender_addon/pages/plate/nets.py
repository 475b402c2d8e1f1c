"""The edges of a plate as nets: what each passes between source and targets, before it has a place.

An edge leaves its source to the right and enters its targets from the left. It runs upright in the gaps between
columns, level in the channels above and below lines, and from line to line beside them all. So no edge meets a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .model import PlateEdgeKind, PlateLayout


class Gap(NamedTuple):
    """The gap before a column of a line; the last gap of a line is behind its columns."""

    line: int
    column: int


@dataclass
class Visit:
    """How a net passes a gap."""

    ports: list[float] = field(default_factory=list)
    """Heights y at which it leaves or enters nodes beside the gap."""
    up: bool = False
    """Whether it goes on to the channel above the line."""
    down: bool = False
    is_source: bool = False

    @property
    def is_straight(self) -> bool:
        """Whether it passes the gap as one level line."""
        return not (self.up or self.down) and len(set(self.ports)) == 1


@dataclass
class Net:
    """Edges of one kind from a node."""

    source: int
    kind: PlateEdgeKind
    targets: list[int]
    visits: dict[Gap, Visit] = field(default_factory=dict)
    channels: set[int] = field(default_factory=set)
    """Numbers of the channels it runs in; channel k is above line k."""

    @property
    def side_range(self) -> tuple[int, int] | None:
        """Returns the first and last channel that it joins beside the lines, None for at most one channel."""
        return (min(self.channels), max(self.channels)) if len(self.channels) > 1 else None


def nets_of(layout: PlateLayout) -> list[Net]:
    """Returns the nets of all edges, with the gaps and channels that they pass."""
    skips = skip_links(layout.graph.links)
    found: dict[tuple[int, PlateEdgeKind, int], Net] = {}
    for source, target in layout.graph.links:
        node = layout.graph.nodes[target]
        kind: PlateEdgeKind = "skip" if (source, target) in skips else "data"
        if node.kind == "joint":
            kind = "joined"
        if node.called:
            kind = "called"
        found.setdefault((source, kind, target if node.called else -1), Net(source, kind, [])).targets.append(target)
    nets = list(found.values())
    for net in nets:
        _plan(layout, net)
    return nets


def skip_links(links: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Returns the links beside which a longer way leads to their target; sources come before targets."""
    before: dict[int, int] = {}  # of each node, those that lead to it, as bits
    for source, target in sorted(links, key=lambda link: link[1]):
        before[target] = before.get(target, 0) | before.get(source, 0) | 1 << source
    sources: dict[int, list[int]] = {}
    for source, target in links:
        sources.setdefault(target, []).append(source)
    return {
        (source, target)
        for target, others in sources.items()
        for source in others
        if any(other != source and before.get(other, 0) >> source & 1 for other in others)
    }


def target_gap(layout: PlateLayout, node: int) -> Gap:
    """Returns the gap from which edges enter a node."""
    box = layout.boxes[node]
    return Gap(box.line, box.column)


def source_gap(layout: PlateLayout, node: int) -> Gap:
    """Returns the gap into which edges leave a node."""
    box = layout.boxes[node]
    return Gap(box.line, box.column + 1)


def _plan(layout: PlateLayout, net: Net) -> None:
    """Fills in visits and channels: targets in the source's own gap need none, others are reached by a channel."""
    start = source_gap(layout, net.source)
    ends = [target_gap(layout, target) for target in net.targets]
    channel = start.line + any(end.line > start.line for end in ends)
    net.visits[start] = Visit(is_source=True)
    for end in ends:
        visit = net.visits.setdefault(end, Visit())
        if end == start:
            continue
        for gap_visit, number in (
            (net.visits[start], channel),
            (visit, channel if end.line == start.line else end.line),
        ):
            line = start.line if gap_visit is net.visits[start] else end.line
            gap_visit.up |= number == line
            gap_visit.down |= number == line + 1
            net.channels.add(number)
