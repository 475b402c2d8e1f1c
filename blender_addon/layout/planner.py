"""Lays out a network: gives each of its panels and joints a place in a hall. Metres and radians.

layers, links = recording.network.folded()
hall = lay_out(layers, links)                          # to walk: panels turned 45° into the aisle
hall = lay_out_figure(layers, links, 1920, 1080)       # for a figure: parallel panels, in the wings that fill it best
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...torch_bridge.recording import Layer
from .boards import ANSWER, FIGURE_ANSWER, answer_slots, input_slots
from .camera_presets import (
    AZIMUTH,
    ELEVATION,
    figure_aisle,
    figure_levels,
    figure_scale,
    frame_things,
    overview_direction,
    place_answers,
    things_in_figure,
)
from .edge_routes import EDGE_OFFSET, MARGIN, end_links, route_board_edges, route_edges
from .hall_model import (
    AISLE_HALF_WIDTH,
    EYE_HEIGHT,
    PANEL_BOTTOM,
    BoardLinks,
    HallLayout,
    Slot,
    SlotKind,
    Stage,
    Wing,
    cell_aspect,
    panel_grid,
)
from .label_placement import EDGE_ROOM, figure_margin
from .stages import cut_stages, group_stages
from .view import View
from .wing_crossings import crossing_counts, crossings
from .wing_cuts import HOPELESS, MIN_SPAN_GAIN, MOST, PREFERENCES, choose_cuts

SWING, FIGURE_YAW = math.radians(45), math.radians(35)
"""How far panels turn into the aisle: for walking past them, and in a figure."""
CLEARANCE, SOURCE_GAP, JOINT_GAP = 0.80, 0.60, 0.50
"""Clear view past the post before; least y from a source to its target; least y from a source to a joint."""
FIRST_WING_START, OTHER_WING_START = 3.4, 0.5
"""y at which the first wing begins, behind the input, and at which the other wings begin."""
BESIDE, LEAST_STEP = 0.25, 1.3
"""Metres between panels of a row in a figure's picture, and least distance of their posts."""
PLATE_MARGIN = 0.3
"""Metres from a panel's end to the edge of its plate."""
GAP, STAGE_MARGIN, GUTTER = 0.8, 0.6, 1.6
"""Metres between two stages; from a stage's edge to its first panels; from a wing's labels to the next wing."""
TRACK, MOST_TRACKS = 0.3, 4.0
"""Distance of two edges beside a wing's plates, and most room for all of them but one; metres."""
SPAN_FACTOR = 8.5
"""Usual span of a figure over the square root of the length of its hall in one wing."""
SAME_SIDE_COST = 0.3
"""Extra metres that placing a panel on its source's side counts for."""


@dataclass(frozen=True)
class LayoutOptions:
    """How the panels of a hall stand and how much room there is between them; see `lay_out`."""

    swing: float = SWING
    parallel_yaw: float | None = None
    aisle: float = AISLE_HALF_WIDTH
    margin: float = MARGIN


def slot_kind(layer: Layer) -> SlotKind:
    """Returns how a layer stands in the hall: as a joint across the aisle, or as a panel of one of three kinds."""
    if layer.role == "joint":
        return "join"
    name = layer.kind.strip("_").lower()
    return "sum" if name in ("add", "iadd", "radd", "sub") else "product" if name in ("mul", "imul", "rmul") else "conv"


def clear_view(width: float, swing: float, aisle: float = AISLE_HALF_WIDTH) -> float:
    """Returns the least distance to the post before it at which a panel is wholly seen from its reading point.

    The reading point is where the panel's normal meets the middle of the aisle.
    """
    eye = -width / 2 * math.sin(swing) - (aisle + width / 2 * math.cos(swing)) / math.tan(swing)
    past = aisle / (aisle + width * math.cos(swing)) * (-width * math.sin(swing) - eye)
    return -(eye + past) + 0.05


def tallest(layers: Sequence[Layer]) -> float:
    """Returns the height in metres of the tallest panel of some layers."""
    grids = (
        panel_grid(channels, cell_aspect(height, width))
        for channels, height, width in (layer.map_shape for layer in layers if layer.role != "joint")
    )
    return max((rows * cell for _, rows, _, cell in grids), default=0.0)


def lay_out(
    layers: Sequence[Layer],
    links: Iterable[tuple[int, int]],
    *,
    swing: float = SWING,
    cuts: Sequence[int] = (),
    parallel_yaw: float | None = None,
    aisle: float = AISLE_HALF_WIDTH,
    margin: float = MARGIN,
    board_links: BoardLinks | None = None,
) -> HallLayout:
    """Gives each layer a place, in order of execution, with a new wing before each position in `cuts`.

    parallel_yaw: yaw of all panels in a figure. aisle: metres from the aisle's middle to the posts. margin: width of
    the strip for labels beside the plates. board_links: of the boards; by default those of `end_links`. Sums hang on
    the right, so that the trunk of a residual network is one row; every other panel takes the side where it stands
    nearest to the entrance.
    """
    links = list(links)
    board_links = board_links or end_links(len(layers), links)
    hall = _LayoutBuilder(layers, links, board_links, LayoutOptions(swing, parallel_yaw, aisle, margin), cuts).build()
    route_edges(hall, links)
    hall.answer_y = hall.wings[-1].end + ANSWER
    hall.board_runs = route_board_edges(hall, input_slots(hall), answer_slots(hall))
    return hall


def lay_out_figure(
    layers: Sequence[Layer],
    links: Iterable[tuple[int, int]],
    width: int,
    height: int,
    azimuth: float = AZIMUTH,
    elevation: float = ELEVATION,
    board_links: BoardLinks | None = None,
) -> HallLayout:
    """Lays out a hall with parallel panels, in the 1 to 7 wings whose overview of width × height pixels is largest."""
    links = list(links)
    aisle = figure_aisle(tallest(layers), azimuth, elevation)
    view = overview_direction(width, height, azimuth, elevation)

    def in_wings(begins: Sequence[int], margin: float) -> HallLayout:
        return lay_out(
            layers,
            links,
            swing=FIGURE_YAW,
            cuts=begins,
            parallel_yaw=FIGURE_YAW,
            aisle=aisle,
            margin=margin,
            board_links=board_links,
        )

    straight = in_wings((), MARGIN)
    span = SPAN_FACTOR * math.sqrt(straight.wings[0].end)
    spans: dict[tuple[int, ...], float] = {}
    for wings in range(1, MOST + 1):
        for cuts in {tuple(choose_cuts(straight, links, wings, preference)): None for preference in PREFERENCES}:
            spans[cuts] = _scale_to_span(in_wings(cuts, figure_margin(span)), span, view)
        if spans[cuts] > HOPELESS * min(spans.values()):
            break
    best = min(spans, key=lambda cuts: spans[cuts] * MIN_SPAN_GAIN ** len(cuts))
    hall = in_wings(best, figure_margin(spans[best]))
    _scale_to_span(hall, spans[best], view)
    hall.board_runs = route_board_edges(hall, input_slots(hall), answer_slots(hall))
    return hall


def _scale_to_span(hall: HallLayout, span: float, view: View) -> float:
    """Sizes and places the boards for a figure of `span` metres, and returns the span that the hall then needs."""
    hall.scale, hall.edge_height = figure_scale(span), figure_levels(hall)[0]
    hall.answer_y = place_answers(hall, view, FIGURE_ANSWER)
    return float(frame_things(view, things_in_figure(hall)).span or 0.0)


class _LayoutBuilder:
    """Places layers one after the other, in order of execution."""

    def __init__(
        self,
        layers: Sequence[Layer],
        links: list[tuple[int, int]],
        board_links: BoardLinks,
        options: LayoutOptions,
        cuts: Sequence[int],
    ) -> None:
        self.layers, self.links, self.board_links = layers, links, board_links
        self.options, self.cuts = options, set(cuts)
        self.sources: list[list[int]] = [[] for _ in layers]
        for source, target in links:
            self.sources[target].append(source)
        sizes = [layer.map_shape[1:] for layer in layers]
        self.stages = cut_stages(group_stages(sizes), cuts)
        self.slots: list[Slot] = []
        self.cursor = {-1: FIRST_WING_START, 1: FIRST_WING_START}
        """By side: y of the last post."""
        self.last = {-1: 0.0, 1: 0.0}
        """By side: width of the last panel."""
        self.wing, self.end = 0, 0.0
        kinds = [slot_kind(layer) for layer in layers]
        self.trunk = 2 * kinds.count("sum") <= len(kinds)  # where most are sums, a side of their own leaves one empty

    def build(self) -> HallLayout:
        for number, stage in enumerate(self.stages):
            self._open(stage)
            for k in range(stage.first, stage.last + 1):
                slot = self._join(k, number) if slot_kind(self.layers[k]) == "join" else self._panel(k, number)
                self.slots.append(slot)
                stage.end = max(stage.end, slot.y + 0.5)
            widest = max((slot.width for slot in self.slots[stage.first :]), default=0.0)
            stage.half = self.options.aisle + widest * max(math.cos(self.options.swing), 0.7) + PLATE_MARGIN
            self.end = stage.end
        crossing = crossing_counts(crossings(self.slots, self.links, self.board_links))
        tracks = max(crossing.values(), default=1) - 1
        pitch = min(TRACK, MOST_TRACKS / max(tracks, 1))
        options, room = self.options, EDGE_ROOM + tracks * pitch
        margin = options.margin + room - EDGE_ROOM
        wings = self._wings(margin)
        slots = [replace(slot, x=wings[slot.wing].x) for slot in self.slots]
        hall = HallLayout(slots, self.stages, [], options.swing, wings, options.parallel_yaw, options.aisle, margin)
        hall.edge_room, hall.edge_pitch, hall.board_links = room, pitch, self.board_links
        return hall

    def _open(self, stage: Stage) -> None:
        """Begins a stage, in a new wing where it is cut."""
        if stage.first in self.cuts:
            self.wing, self.end, self.cursor = self.wing + 1, 0.0, {-1: OTHER_WING_START, 1: OTHER_WING_START}
        stage.wing = self.wing
        stage.start = max(*self.cursor.values(), self.end) + (GAP if self.slots else 0.0)
        self.cursor = dict.fromkeys(self.cursor, stage.start + STAGE_MARGIN)

    def _behind(self, k: int) -> tuple[int, float]:
        """Returns the rank of a layer, and y of the last of its sources in this wing."""
        sources = [self.slots[s] for s in self.sources[k]]
        rank = max((slot.rank + 1 for slot in sources), default=0)
        return rank, max((slot.y for slot in sources if slot.wing == self.wing), default=0.0)

    def _join(self, k: int, stage: int) -> Slot:
        rank, before = self._behind(k)
        y = max(before, self.stages[stage].start) + JOINT_GAP
        self.cursor = {side: max(last, y - 1.0) for side, last in self.cursor.items()}
        return Slot(k, "join", 0, y, rank, stage, self.wing, aisle=self.options.aisle)

    def _panel(self, k: int, stage: int) -> Slot:
        channels, map_height, map_width = self.layers[k].map_shape
        columns, rows, cell_width, cell_height = panel_grid(channels, cell_aspect(map_height, map_width))
        width, height, kind = columns * cell_width, rows * cell_height, slot_kind(self.layers[k])
        rank, before = self._behind(k)
        side, y = self._place(k, kind, width, before)
        return Slot(
            index=k,
            kind=kind,
            side=side,
            y=y,
            rank=rank,
            stage=stage,
            wing=self.wing,
            columns=columns,
            rows=rows,
            cell=(cell_width, cell_height),
            width=width,
            height=height,
            bottom=max(PANEL_BOTTOM, EYE_HEIGHT - height / 2),
            aisle=self.options.aisle,
        )

    def _place(self, k: int, kind: SlotKind, width: float, before: float) -> tuple[int, float]:
        """Returns the side and y nearest to the entrance for a panel; sums hang on the right, in the trunk."""
        sides = (1,) if kind == "sum" and self.trunk else (-1, 1)
        steps = {side: self._step(side, width) for side in sides}
        y = {side: max(self.cursor[side] + steps[side], before + SOURCE_GAP) for side in sides}
        last = next((self.slots[s].side for s in reversed(self.sources[k]) if self.slots[s].side), 1)
        side = min(sides, key=lambda s: y[s] + SAME_SIDE_COST * (s == last))
        self.cursor[side] = y[side]
        self.last[side] = width
        return side, y[side]

    def _step(self, side: int, width: float) -> float:
        """Returns the least distance of a panel's post from the one before it on its side.

        In a figure the two stand side by side in the picture.
        """
        swing = self.options.swing
        if self.options.parallel_yaw is None:
            return max(width * math.sin(swing) + CLEARANCE, clear_view(width, swing, self.options.aisle), 1.6)
        reach = self.last[side] if side > 0 else width  # panels on the right reach ahead of their post, others back
        ahead = math.sin(AZIMUTH) / math.cos(AZIMUTH - self.options.parallel_yaw)  # along a panel, for a metre of y
        return max((reach + BESIDE) / ahead, LEAST_STEP)

    def _wings(self, margin: float) -> list[Wing]:
        """Puts the wings side by side, like lines of text."""
        wings: list[Wing] = []
        for number in range(self.wing + 1):
            stages = [stage for stage in self.stages if stage.wing == number]
            half = max((stage.half for stage in stages), default=self.options.aisle)
            if (
                self.options.parallel_yaw is not None
            ):  # one plate's width, so that labels and lines beside it are straight
                for stage in stages:
                    stage.half = half
            before = wings[-1] if wings else None
            x = before.x + before.half + EDGE_OFFSET + margin + GUTTER + half if before else 0.0
            wings.append(Wing(x, half, self._end(number)))
        return wings

    def _end(self, wing: int) -> float:
        """Returns the y at which a wing ends; a panel on the right swings past its post."""
        lean = math.sin(self.options.swing)
        tails = (s.y + max(1.5, (s.side > 0) * s.width * lean + 0.3) for s in self.slots if s.wing == wing)
        return max(tails, default=FIRST_WING_START)
