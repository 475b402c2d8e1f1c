"""The laws of the hall: a network's panels and joints, in order, become places. Pure numpy; metres and radians.

layers, links = recording.network.folded()
hall = plan(layers, links)                          # to walk: doors swung 45° into the aisle
hall = plan_figure(layers, links, 1920, 1080)       # for a figure: louvres, and as many wings as fill it best
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...torch_bridge.recording import Layer
from . import stages as rule
from .boards import ANSWER, FIGURE_ANSWER, FIGURE_GATE, GATE
from .camera_presets import AZIMUTH, ELEVATION, around, direction, figure_aisle, figure_scale, place_answer, standing
from .columns import MOST, PRICE, cuts
from .edge_routes import LINE, MARGIN, route_edges, board_runs
from .label_placement import figure_margin
from .model import BASE, EYE, HALF, Hall, EdgeRun, Slot, SlotKind, Stage, Wing, cell_aspect, grid

SWING, FIGURE_YAW = math.radians(45), math.radians(35)
"""How far doors stand into the aisle, to be walked past and in a figure."""
READ, FORWARD, JOIN = 0.80, 0.60, 0.50
"""Clear view past the post before; y from a source to its target; the same to a joint."""
START, NEXT = 3.4, 0.5
"""Where the first wing begins, behind the input, and the others."""
GAP, DOORSTEP, GUTTER = 0.8, 0.6, 2.0
"""Between two stages; from a stage's edge to where its first panels may begin; from the words to the next wing."""
SHAPE = 8.5
"""Usual span of a figure over the square root of the length of its hall in one wing."""
STAY = 0.3
"""What it costs a panel to stand on its source's side."""


def slot_kind(layer: Layer) -> SlotKind:
    """How a layer stands in the hall: a joint across the aisle, or a panel that is a sum, a product or another."""
    if layer.role == "joint":
        return "join"
    name = layer.kind.strip("_").lower()
    return "sum" if name in ("add", "iadd", "radd", "sub") else "product" if name in ("mul", "imul", "rmul") else "conv"


def clear_view(width: float, swing: float, aisle: float = HALF) -> float:
    """Distance to the post before on the same side, so that the whole panel is seen from its reading point.

    That is where the panel's normal meets the middle of the aisle.
    """
    eye = -width / 2 * math.sin(swing) - (aisle + width / 2 * math.cos(swing)) / math.tan(swing)
    past = aisle / (aisle + width * math.cos(swing)) * (-width * math.sin(swing) - eye)
    return -(eye + past) + 0.05


def lay_out(
    layers: Sequence[Layer], links: Iterable[tuple[int, int]], *, swing: float = SWING, cuts: Sequence[int] = (),
    louvre: float | None = None, aisle: float = HALF, margin: float = MARGIN,
) -> Hall:  # fmt: skip
    """A place for each layer in order of execution, a new wing before each of `cuts`.

    `louvre` is the yaw of a figure's parallel doors; `aisle` the way from its middle to the posts; `margin` the strip
    for words beside the plates. Sums hang on the right, so that the trunk of a residual network is one row; every other
    panel takes the side where it stands nearest to the entrance.
    """
    links = list(links)
    hall = _LayoutBuilder(layers, links, LayoutOptions(swing, louvre, aisle, margin), cuts).run()
    hall.runs = route_edges(hall, links)
    hall.answer = hall.wings[-1].end + ANSWER
    hall.ways = _ways(hall, links)
    return hall


def lay_out_figure(
    layers: Sequence[Layer], links: Iterable[tuple[int, int]], width: int, height: int,
    azimuth: float = AZIMUTH, elevation: float = ELEVATION,
) -> Hall:  # fmt: skip
    """The hall as louvres, in the 1 to 7 wings whose overview of `width` by `height` pixels is largest."""
    links, aisle = list(links), figure_aisle(azimuth, elevation)

    def built(choice: Sequence[int], margin: float) -> Hall:
        return lay_out(layers, links, swing=FIGURE_YAW, cuts=choice, louvre=FIGURE_YAW, aisle=aisle, margin=margin)

    def set_out(choice: Sequence[int], span: float) -> tuple[Hall, float]:
        hall = built(choice, figure_margin(span))
        hall.scale = figure_scale(span)
        hall.answer = place_answer(hall, view, FIGURE_ANSWER)
        return hall, float(around(view, standing(hall)).span or 0.0)

    straight, view = built((), MARGIN), direction(width, height, azimuth, elevation)
    span = SHAPE * math.sqrt(straight.wings[0].end)
    choices = list({tuple(cuts(straight, links, wings)): None for wings in range(1, MOST + 1)})
    first = [set_out(choice, span)[1] for choice in choices]
    best = min(range(len(choices)), key=lambda k: first[k] * PRICE ** len(choices[k]))
    hall, _ = set_out(choices[best], first[best])
    hall.ways = _ways(hall, links)
    return hall


def _ways(hall: Hall, links: Iterable[tuple[int, int]]) -> list[EdgeRun]:
    """The ways from the input's post and to the class board."""
    gate = FIGURE_GATE if hall.louvre is not None else GATE
    last = len(hall.wings) - 1
    source = Slot(-1, "conv", -1, gate, 0, 0, 0, hall.wings[0].x, aisle=hall.aisle)
    return board_runs(hall, links, source, Slot(-1, "conv", 0, hall.answer, 0, 0, last, hall.wings[last].x, aisle=hall.aisle))


@dataclass(frozen=True)
class LayoutOptions:
    """How the doors of a hall stand, and how much room is between them; see `plan`."""

    swing: float
    louvre: float | None
    aisle: float
    margin: float


class _LayoutBuilder:
    """The state of one walk along the layers."""

    def __init__(
        self, layers: Sequence[Layer], links: list[tuple[int, int]], manner: LayoutOptions, cuts: Sequence[int]
    ) -> None:
        self.layers, self.manner, self.cuts = layers, manner, set(cuts)
        self.sources: list[list[int]] = [[] for _ in layers]
        for source, target in links:
            self.sources[target].append(source)
        sizes = [layer.map_shape[1:] for layer in layers]
        self.stages = rule.cut(rule.stages(sizes), cuts)
        self.slots: list[Slot] = []
        self.cursor = {-1: START, 1: START}
        self.wing, self.end = 0, 0.0
        kinds = [slot_kind(layer) for layer in layers]
        self.trunk = 2 * kinds.count("sum") <= len(kinds)  # where most are sums, a side of their own leaves one empty

    def run(self) -> Hall:
        for number, stage in enumerate(self.stages):
            self._open(stage)
            for k in range(stage.first, stage.last + 1):
                slot = self._join(k, number) if slot_kind(self.layers[k]) == "join" else self._panel(k, number)
                self.slots.append(slot)
                stage.end = max(stage.end, slot.y + 0.5)
            widest = max((slot.width for slot in self.slots[stage.first :]), default=0.0)
            stage.half = self.manner.aisle + widest * max(math.cos(self.manner.swing), 0.7) + 0.5
            self.end = stage.end
        return self._spread()

    def _open(self, stage: Stage) -> None:
        """Begin a stage, in a new wing where it is cut."""
        if stage.first in self.cuts:
            self.wing, self.end, self.cursor = self.wing + 1, 0.0, {-1: NEXT, 1: NEXT}
        stage.wing = self.wing
        stage.start = max(*self.cursor.values(), self.end) + (GAP if self.slots else 0.0)
        self.cursor = dict.fromkeys(self.cursor, stage.start + DOORSTEP)

    def _behind(self, k: int) -> tuple[int, float]:
        """Rank of a layer, and y of the last of its sources in this wing."""
        sources = [self.slots[s] for s in self.sources[k]]
        rank = max((slot.rank + 1 for slot in sources), default=0)
        return rank, max((slot.y for slot in sources if slot.wing == self.wing), default=0.0)

    def _join(self, k: int, stage: int) -> Slot:
        rank, before = self._behind(k)
        y = max(before, self.stages[stage].start) + JOIN
        self.cursor = {side: max(at, y - 1.0) for side, at in self.cursor.items()}
        return Slot(k, "join", 0, y, rank, stage, self.wing, aisle=self.manner.aisle)

    def _panel(self, k: int, stage: int) -> Slot:
        channels, height, width = self.layers[k].map_shape
        columns, rows, cell_width, cell_height = grid(channels, cell_aspect(height, width))
        wide, high, kind = columns * cell_width, rows * cell_height, slot_kind(self.layers[k])
        rank, before = self._behind(k)
        side, y = self._place(k, kind, wide, before)
        return Slot(
            k, kind, side, y, rank, stage, self.wing, 0.0, columns, rows, (cell_width, cell_height), wide, high,
            max(BASE, EYE - high / 2), self.manner.aisle,
        )  # fmt: skip

    def _place(self, k: int, kind: SlotKind, width: float, before: float) -> tuple[int, float]:
        """Side and y of a panel, nearest to the entrance. Sums hang on the right: the trunk."""
        swing, aisle = self.manner.swing, self.manner.aisle
        step = max(width * math.sin(swing) + READ, clear_view(width, swing, aisle), 1.6)
        sides = (1,) if kind == "sum" and self.trunk else (-1, 1)
        y = {side: max(self.cursor[side] + step, before + FORWARD) for side in sides}
        last = next((self.slots[s].side for s in reversed(self.sources[k]) if self.slots[s].side), 1)
        side = min(sides, key=lambda s: y[s] + STAY * (s == last))
        self.cursor[side] = y[side]
        return side, y[side]

    def _spread(self) -> Hall:
        """Put the wings side by side, like lines of text; a right louvre swings past its post at a wing's end."""
        wings: list[Wing] = []
        for number in range(self.wing + 1):
            own = [stage for stage in self.stages if stage.wing == number]
            half = max((stage.half for stage in own), default=self.manner.aisle)
            if self.manner.louvre is not None:  # one plate's width, so that words and lines beside it run straight
                for stage in own:
                    stage.half = half
            before = wings[-1] if wings else None
            x = before.x + before.half + LINE + self.manner.margin + GUTTER + half if before else 0.0
            wings.append(Wing(x, half, self._end(number)))
        slots = [replace(slot, x=wings[slot.wing].x) for slot in self.slots]
        manner = self.manner
        return Hall(slots, self.stages, [], manner.swing, wings, manner.louvre, manner.aisle, manner.margin)

    def _end(self, wing: int) -> float:
        lean = math.sin(self.manner.swing)
        tails = (s.y + max(1.5, (s.side > 0) * s.width * lean + 0.3) for s in self.slots if s.wing == wing)
        return max(tails, default=START)
