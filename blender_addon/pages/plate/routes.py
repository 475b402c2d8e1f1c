"""Routes the edges of a plate: heights of ports, tracks in gaps, lanes in channels, and the room that they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .leaders import leader, shown_places
from .model import PlateEdge, PlateLayout, Point
from .nets import Gap, Net, nets_of, source_gap, target_gap
from .tracks import assign_tracks, free_place

FAR = 1e4
"""Beyond every page, mm."""
KIND_ORDER = ("called", "data", "joined", "skip")


@dataclass
class PlateRoom:
    """The room that edges need, mm."""

    gaps: list[list[float]]
    """By line: widths of its gaps."""
    channels: list[float]
    """Heights of the channels before each line and behind the last."""
    sides: tuple[float, float]
    """Widths left and right of the lines."""

    def enlarge(self, other: PlateRoom) -> bool:
        """Takes the larger of both measures everywhere; returns whether anything grew."""
        before = repr(self)
        self.gaps = [
            [max(pair) for pair in zip(*lines, strict=True)] for lines in zip(self.gaps, other.gaps, strict=True)
        ]
        self.channels = [max(pair) for pair in zip(self.channels, other.channels, strict=True)]
        self.sides = (max(self.sides[0], other.sides[0]), max(self.sides[1], other.sides[1]))
        return repr(self) != before


@dataclass
class Router:
    """The routes of all edges between boxes that have their places."""

    layout: PlateLayout
    nets: list[Net] = field(default_factory=list)
    at_gap: dict[Gap, list[Net]] = field(default_factory=lambda: defaultdict(list))
    ports: dict[tuple[int, int], float] = field(default_factory=dict)
    """Height by net and node."""
    tracks: dict[Gap, dict[int, int]] = field(default_factory=dict)
    """By gap: track by net."""
    sides: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By net: side 0 or 1 and track beside the lines."""
    xs: dict[tuple[int, Gap], float] = field(default_factory=dict)
    lanes: dict[int, dict[int, int]] = field(default_factory=dict)
    """By channel: lane by net."""

    def route(self) -> PlateRoom:
        """Finds ports, tracks and lanes, and returns the room that they need."""
        self.nets = nets_of(self.layout)
        for net in self.nets:
            for gap in net.visits:
                self.at_gap[gap].append(net)
        self.number = {id(net): number for number, net in enumerate(self.nets)}
        for gap in sorted(self.at_gap):
            self._set_ports(gap)
            self._set_tracks(gap)
        self._set_sides()
        self._set_positions()
        self._set_lanes()
        return self._room()

    def _set_ports(self, gap: Gap) -> None:
        """Gives every net of a gap heights at which it leaves and enters nodes; no two nets share one."""
        layout = self.layout
        taken: list[float] = []
        leaving: dict[int, list[Net]] = defaultdict(list)
        for net in self.at_gap[gap]:
            if source_gap(layout, net.source) == gap:
                leaving[net.source].append(net)
        for source, nets in leaving.items():
            box = layout.boxes[source]
            nets.sort(key=lambda net: KIND_ORDER.index(net.kind))
            for net in nets:
                tile = self._called_tile(net)
                taken.append(self._port(net, source, tile[3] if tile else box.y + box.height / 2, taken))
        entering = [
            (net, target) for net in self.at_gap[gap] for target in net.targets if target_gap(layout, target) == gap
        ]
        straight: list[tuple[Net, int]] = []
        for net, target in entering:
            box = layout.boxes[target]
            start = self.ports.get((self.number[id(net)], net.source), -FAR)
            if self._is_source(net, gap) and box.y + 0.2 <= start <= box.bottom - 0.2:
                self.ports[self.number[id(net)], target] = start
                net.visits[gap].ports.append(start)
                straight.append((net, target))
        for net, target in entering:
            if (net, target) not in straight:
                box = layout.boxes[target]
                share = 0.25 if net.visits[gap].up else 0.75 if net.visits[gap].down else 0.5
                taken.append(self._port(net, target, box.y + share * box.height, taken))

    def _called_tile(self, net: Net) -> tuple[float, float, float, float] | None:
        """Returns left, top, right and bottom of the tile that a net calls out."""
        node, box = self.layout.graph.nodes[net.targets[0]], self.layout.boxes[net.source]
        if box.grid is None or not node.called:
            return None
        return box.tile_box(shown_places(node.called, box.grid.shown).index(node.called[0]), self.layout.style.pixel)

    def _is_source(self, net: Net, gap: Gap) -> bool:
        return source_gap(self.layout, net.source) == gap

    def _port(self, net: Net, node: int, wanted: float, taken: Sequence[float]) -> float:
        box, pitch = self.layout.boxes[node], self.layout.style.pitch
        inset = min(pitch / 2, box.height / 4)
        height = free_place(wanted, box.y + inset, box.bottom - inset, taken, pitch)
        self.ports[self.number[id(net)], node] = height
        gap = source_gap(self.layout, node) if node == net.source else target_gap(self.layout, node)
        net.visits[gap].ports.append(height)
        return height

    def _set_tracks(self, gap: Gap) -> None:
        """Assigns tracks from left to right: first to nets that begin here, then to those that arrive."""
        nets = [net for net in self.at_gap[gap] if not net.visits[gap].is_straight]
        spans = []
        for net in nets:
            visit = net.visits[gap]
            heights = [*visit.ports, *([-FAR] if visit.up else []), *([FAR] if visit.down else [])]
            spans.append((min(heights), max(heights)))
        order = sorted(range(len(nets)), key=lambda k: (not nets[k].visits[gap].is_source, spans[k]))
        chosen = assign_tracks(spans, order, self.layout.style.pitch / 2)
        self.tracks[gap] = {self.number[id(net)]: track for net, track in zip(nets, chosen, strict=True)}

    def _set_sides(self) -> None:
        """Assigns tracks beside the lines to nets that pass whole lines, on the side that is nearer."""
        middle = self.layout.style.width / 2
        for side in (0, 1):
            nets = [
                (number, net.side_range)
                for number, net in enumerate(self.nets)
                if net.side_range and (self._mean_x(net) > middle) == bool(side)
            ]
            spans = [(float(first), float(last)) for _, (first, last) in nets]
            order = sorted(range(len(nets)), key=lambda k: spans[k])
            chosen = assign_tracks(spans, order, 0.0)
            self.sides.update({number: (side, track) for (number, _), track in zip(nets, chosen, strict=True)})

    def _mean_x(self, net: Net) -> float:
        boxes = [self.layout.boxes[node] for node in (net.source, *net.targets)]
        return sum(box.x for box in boxes) / len(boxes)

    def _gap_range(self, gap: Gap) -> tuple[float, float]:
        """Returns the left and right end of a gap."""
        columns = self.layout.lines[gap.line].columns
        style = self.layout.style
        before = columns[gap.column - 1] if gap.column else None
        after = columns[gap.column] if gap.column < len(columns) else None
        widths = self.layout.lines[gap.line].gaps
        left = max(self.layout.boxes[node].room[1] for node in before) if before else None
        right = min(self.layout.boxes[node].room[0] for node in after) if after else None
        if left is None:
            left = right - widths[0] if right is not None else style.margin
        return left, right if right is not None else left + widths[-1]

    def _set_positions(self) -> None:
        """Places the tracks of each gap; none stands exactly over or under a track of the line before."""
        style = self.layout.style
        near: dict[int, list[float]] = defaultdict(list)
        for gap in sorted(self.tracks):
            left, right = self._gap_range(gap)
            head = style.head if gap.column < len(self.layout.lines[gap.line].columns) else 0.0
            used = self.tracks[gap]
            step = (right - head - left) / (max(used.values(), default=0) + 2)
            for number, track in used.items():
                x = left + (track + 1) * step
                others = near[gap.line - 1]
                slack = 0.35 * step
                x = free_place(x, x - slack, x + slack, others, min(0.2, slack))
                self.xs[number, gap] = x
                near[gap.line].append(x)

    def _set_lanes(self) -> None:
        for channel in range(len(self.layout.lines) + 1):
            numbers = [number for number, net in enumerate(self.nets) if channel in net.channels]
            spans = [(min(xs), max(xs)) for xs in (self.lane_ends(number, channel) for number in numbers)]
            order = sorted(range(len(numbers)), key=lambda k: (spans[k][1] - spans[k][0], spans[k]))
            chosen = assign_tracks(spans, order, self.layout.style.pitch)
            self.lanes[channel] = dict(zip(numbers, chosen, strict=True))

    def lane_ends(self, number: int, channel: int) -> list[float]:
        """Returns the x of everything that a net joins in a channel."""
        net = self.nets[number]
        found = [
            self.xs[number, gap]
            for gap, visit in net.visits.items()
            if (visit.up and gap.line == channel) or (visit.down and gap.line == channel - 1)
        ]
        return [*found, self.side_x(number)] if number in self.sides else found

    def side_x(self, number: int) -> float:
        """Returns the x of a net's track beside the lines."""
        style, (side, track) = self.layout.style, self.sides[number]
        offset = style.margin + (track + 0.5) * style.pitch
        return style.width - offset if side else offset

    def lane_y(self, number: int, channel: int) -> float:
        """Returns the y of a net's lane in a channel."""
        lines, lanes = self.layout.lines, self.lanes[channel]
        bottom = lines[channel].top if channel < len(lines) else self.layout.height - self.layout.style.margin
        top = lines[channel - 1].bottom if channel else bottom - self._channel_height(0)
        return top + (bottom - top) * (lanes[number] + 1) / (max(lanes.values()) + 2)

    def _channel_height(self, channel: int) -> float:
        """Returns the least height of a channel; lines are a little apart even without edges between them."""
        lanes = self.lanes[channel]
        is_inside = 0 < channel < len(self.layout.lines)
        return (max(lanes.values()) + 2) * self.layout.style.pitch if lanes else 1.2 * is_inside

    def _room(self) -> PlateRoom:
        style = self.layout.style
        gaps = []
        for number, line in enumerate(self.layout.lines):
            needs = []
            for column in range(len(line.columns) + 1):
                tracks = max(self.tracks.get(Gap(number, column), {}).values(), default=-1) + 1
                is_end = column in (0, len(line.columns))
                head = style.head if column < len(line.columns) else 0.0
                least = (style.gap / 2 if is_end else style.gap) if tracks or not is_end else 0.0
                needs.append(max(least, (tracks + 1) * style.pitch + head if tracks else 0.0))
            gaps.append(needs)
        channels = [self._channel_height(channel) for channel in range(len(self.layout.lines) + 1)]
        counts = [max((track + 1 for side, track in self.sides.values() if side == k), default=0) for k in (0, 1)]
        left, right = (count * style.pitch + 0.3 * bool(count) for count in counts)
        return PlateRoom(gaps, channels, (left, right))

    def edges(self) -> list[PlateEdge]:
        """Returns the routed edges as level and upright pieces."""
        return [self._edge(number, net) for number, net in enumerate(self.nets)]

    def _edge(self, number: int, net: Net) -> PlateEdge:
        boxes, pieces = self.layout.boxes, []
        for gap, visit in net.visits.items():
            x = self.xs.get((number, gap))
            ends = list(visit.ports)
            if visit.up:
                ends.append(self.lane_y(number, gap.line))
            if visit.down:
                ends.append(self.lane_y(number, gap.line + 1))
            if x is not None:
                pieces.append(((x, min(ends)), (x, max(ends))))
            entered = [t for t in net.targets if target_gap(self.layout, t) == gap]
            if self._is_source(net, gap):
                y, start = self.ports[number, net.source], boxes[net.source].right
                pieces.append(((start, y), (max(boxes[t].x for t in entered) if x is None else x, y)))
            if x is not None:
                pieces += [((x, self.ports[number, t]), (boxes[t].x, self.ports[number, t])) for t in entered]
        for channel in net.channels:
            xs, y = self.lane_ends(number, channel), self.lane_y(number, channel)
            pieces.append(((min(xs), y), (max(xs), y)))
        if net.side_range:
            x, heights = self.side_x(number), [self.lane_y(number, channel) for channel in net.channels]
            pieces.append(((x, min(heights)), (x, max(heights))))
        heads: list[Point] = [(boxes[t].x, self.ports[number, t]) for t in net.targets]
        kept = tuple(piece for piece in pieces if piece[0] != piece[1])
        tile = self._called_tile(net)
        inner = leader(tile, (boxes[net.source].right, self.ports[number, net.source])) if tile else ()
        return PlateEdge(net.source, tuple(net.targets), net.kind, kept, tuple(heads), inner)
