"""The laws of the hall: a network's panels and joints, in order, become places. Pure numpy; metres and radians.

    layers, links = recording.network.folded()
    hall = plan(layers, links)                          # to walk: doors swung 45° into the aisle
    hall = plan_figure(layers, links, 1920, 1080)       # for a figure: louvres, and as many wings as fill it best
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..torch_bridge.recording import Layer
from . import stages as rule
from .blocks import blocks
from .laws import check
from .route import LEVELS, MARGIN, path, polyline, route, turn
from .slots import BASE, EYE, FILL, HALF, TOP, Hall, Run, Slot, SlotKind, Stage, Wing, cell_aspect, grid, tile_edge
from .wings import MOST, PRICE, cuts

__all__ = [
    "BASE", "EYE", "FILL", "HALF", "LEVELS", "LOUVRE", "MARGIN", "SWING", "TOP", "Hall", "Run", "Slot", "Stage", "Wing",
    "blocks", "check", "grid", "panel_kind", "path", "plan", "plan_figure", "polyline", "tile_edge", "turn",
]  # fmt: skip

SWING, LOUVRE = math.radians(45), math.radians(35)
"""How far doors stand into the aisle, to be walked past and in a figure."""
READ, FORWARD, JOIN = 0.80, 0.60, 0.50
"""Clear view past the post before; y from a source to its target; the same to a joint."""
START, NEXT = 3.4, 0.5
"""Where the first wing begins, behind the input, and the others."""
GAP, DOORSTEP = 0.8, 0.6
"""Between two stages; from a stage's edge to where its first panels may begin."""
STAY, LEAN = 0.3, 2.5
"""What it costs a panel to stand on its source's side; what a sum gains on the right."""


def panel_kind(layer: Layer) -> SlotKind:
    """How a layer stands in the hall: a joint across the aisle, or a panel that is a sum, a product or anything else."""
    if layer.role == "joint":
        return "join"
    name = layer.kind.strip("_").lower()
    return "sum" if name in ("add", "iadd", "radd", "sub") else "product" if name in ("mul", "imul", "rmul") else "conv"


def clear_view(width: float, swing: float) -> float:
    """Distance to the post before on the same side, so that the whole panel is seen from its reading point.

    That is where the panel's normal meets the middle of the aisle.
    """
    eye = -width / 2 * math.sin(swing) - (HALF + width / 2 * math.cos(swing)) / math.tan(swing)
    past = HALF / (HALF + width * math.cos(swing)) * (-width * math.sin(swing) - eye)
    return -(eye + past) + 0.05


def plan(
    layers: Sequence[Layer], links: Iterable[tuple[int, int]], *, swing: float = SWING, cuts: Sequence[int] = (),
    louvre: float | None = None,
) -> Hall:  # fmt: skip
    """A place for each layer in order of execution, a new wing before each of `cuts`.

    Each panel takes the side where it stands nearest to the entrance. Source: look.md, laws.
    """
    links = list(links)
    hall = _Planner(layers, links, swing, cuts).run()
    hall.louvre = louvre
    hall.runs = route(hall, links)
    return hall


def plan_figure(layers: Sequence[Layer], links: Iterable[tuple[int, int]], width: int, height: int) -> Hall:
    """The hall as louvres in the number of wings, 1 to 7, whose overview of `width` by `height` pixels is largest."""
    from .presets import overview

    links = list(links)
    straight = plan(layers, links, swing=LOUVRE, louvre=LOUVRE)
    choices = {tuple(cuts(straight, links, wings)): None for wings in range(1, MOST + 1)}
    halls = [plan(layers, links, swing=LOUVRE, cuts=choice, louvre=LOUVRE) for choice in choices]
    return min(halls, key=lambda hall: (overview(hall, width, height).span or 0.0) * PRICE ** len(hall.wings))


class _Planner:
    """The state of one walk along the layers."""

    def __init__(self, layers: Sequence[Layer], links: list[tuple[int, int]], swing: float, cuts: Sequence[int]) -> None:
        self.layers, self.swing, self.cuts = layers, swing, set(cuts)
        self.sources: list[list[int]] = [[] for _ in layers]
        for source, target in links:
            self.sources[target].append(source)
        sizes = [layer.map_shape[1:] for layer in layers]
        self.stages = rule.cut(rule.stages(sizes), cuts, sizes)
        self.slots: list[Slot] = []
        self.cursor = {-1: START, 1: START}
        self.wing, self.end = 0, 0.0

    def run(self) -> Hall:
        for number, stage in enumerate(self.stages):
            self._open(stage)
            for k in range(stage.first, stage.last + 1):
                slot = self._join(k, number) if panel_kind(self.layers[k]) == "join" else self._panel(k, number)
                self.slots.append(slot)
                stage.end = max(stage.end, slot.y + 0.5)
            widest = max((slot.width for slot in self.slots[stage.first :]), default=0.0)
            stage.half = HALF + widest * max(math.cos(self.swing), 0.7) + 0.5
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
        slot = Slot(k, "join", 0, before + JOIN, rank, stage, self.wing)
        self.cursor = {side: max(y, slot.y - 1.0) for side, y in self.cursor.items()}
        return slot

    def _panel(self, k: int, stage: int) -> Slot:
        channels, height, width = self.layers[k].map_shape
        columns, rows, cell_width, cell_height = grid(channels, cell_aspect(height, width))
        wide, high, kind = columns * cell_width, rows * cell_height, panel_kind(self.layers[k])
        rank, before = self._behind(k)
        step = max(wide * math.sin(self.swing) + READ, clear_view(wide, self.swing), 1.6)
        y = {side: max(self.cursor[side] + step, before + FORWARD) for side in (-1, 1)}
        last = next((self.slots[s].side for s in reversed(self.sources[k]) if self.slots[s].side), 1)
        side = min((-1, 1), key=lambda s: y[s] + STAY * (s == last) - LEAN * (s > 0 and kind == "sum"))
        self.cursor[side] = y[side]
        bottom = max(BASE, EYE - high / 2)
        return Slot(
            k, kind, side, y[side], rank, stage, self.wing, 0.0, columns, rows, (cell_width, cell_height), wide, high, bottom
        )

    def _spread(self) -> Hall:
        """Put the wings side by side, like lines of text; a right louvre swings past its post at a wing's end."""
        wings: list[Wing] = []
        for number in range(self.wing + 1):
            half = max(stage.half for stage in self.stages if stage.wing == number)
            x = wings[-1].x + wings[-1].half + MARGIN + 2.0 + half if wings else 0.0
            tail = (s.y + max(1.5, (s.side > 0) * s.width * math.sin(self.swing) + 0.3) for s in self.slots if s.wing == number)
            wings.append(Wing(x, half, max(tail)))
        slots = [replace(slot, x=wings[slot.wing].x) for slot in self.slots]
        return Hall(slots, self.stages, [], self.swing, wings)
