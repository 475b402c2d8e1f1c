"""Draws a plate: panels with their tiles, names and shapes, edges, and the boards of inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....torch_bridge.recording import Layer
from ...layout.planner import slot_kind
from ...plans.floor import rim_colour
from ..map_pictures import arrange_tiles, draw_tiles
from ..page import FlatPage, PageLine, PageShape
from ..page_options import ShownMaps
from .board_drawing import draw_board
from .boards import PlateBoard
from .call_outs import called_places, ranked_places
from .labels import PlateLabels, add_key
from .leaders import shown_places
from .model import PlateBox, PlateEdge, PlateEdgeKind, PlateLayout

LINES = {"called": 0.18, "data": 0.25, "skip": 0.22, "joined": 0.22}
"""Widths of edges, mm."""
RIM, SUM_RIM = 0.1, 0.25
"""Widths of a panel's rim, and of that of a sum, mm."""
CALLED = 0.25
"""Width of the rim of a tile that is called out, mm."""


@dataclass(frozen=True)
class PlateDrawing:
    """A plate's page while it is drawn."""

    page: FlatPage
    layout: PlateLayout
    shown: ShownMaps
    inputs: Sequence[PlateBoard]
    outputs: Sequence[PlateBoard]
    labels: PlateLabels

    def draw(self) -> None:
        """Draws edges first, then nodes, and over them what is called out."""
        self._edges("data", "joined", "skip")
        for box in self.layout.boxes.values():
            node = self.layout.graph.nodes[box.node]
            if node.kind == "panel":
                self._panel(box, self.layout.graph.layers[node.number])
            elif node.kind == "joint":
                self.page.box(box.x, box.y, box.width, box.height, "joined")
            else:
                boards = self.inputs if node.kind == "input" else self.outputs
                draw_board(self.page, self.layout.style, box, boards[node.number])
            if node.kind != "joint":
                self._label(box)
        self._edges("called")
        add_key(self.page, self.labels.key, self.layout.style)

    def _label(self, box: PlateBox) -> None:
        """Adds the two lines of text under a box."""
        x, style = (box.room[0] + box.room[1]) / 2, self.layout.style
        for number, (texts, role) in enumerate(((self.labels.names, "text"), (self.labels.captions, "quiet"))):
            if text := texts[box.node]:
                y = box.bottom + 0.15 + (number + 0.82) * style.line_height
                self.page.text(text, x, y, style.words, role, align="centre")

    def _edges(self, *kinds: PlateEdgeKind) -> None:
        for kind in kinds:
            for edge in self.layout.edges:
                if edge.kind == kind:
                    self._edge(edge)

    def _edge(self, edge: PlateEdge) -> None:
        colour, width = self.page.colour("text" if edge.kind == "called" else edge.kind), LINES[edge.kind]
        heads = {head: self.layout.style.head * 0.8 for head in edge.heads}
        for start, end in (*edge.inner, *edge.segments):
            if (shorter := heads.get(end)) is not None and end[0] - start[0] > shorter:
                end = (end[0] - shorter, end[1])
            self.page.items.append(PageLine((start, end), width, colour))
        for (x, y), length in heads.items():
            half = 0.42 * length
            self.page.items.append(PageShape(((x - 0.12, y), (x - length, y - half), (x - length, y + half)), colour))

    def _panel(self, box: PlateBox, layer: Layer) -> None:
        self._tiles(box, layer)
        kind = rim_colour(slot_kind(layer))
        line = SUM_RIM if kind == "sum" else RIM
        self.page.frame(box.x, box.y, box.width, box.height, kind, line)

    def _tiles(self, box: PlateBox, layer: Layer) -> None:
        maps, page = self.shown.of(layer), self.page
        if maps is None or box.grid is None:
            page.box(box.x, box.y, box.width, box.height, "track")
            return
        called = called_places(self.shown, maps)
        places = list(range(maps.channels))
        if maps.channels > box.grid.shown:
            places = shown_places(ranked_places(self.shown, maps), box.grid.shown)
        look = self.shown.options.look
        tiles = draw_tiles(maps, places, self.shown.peaks(maps, places), box.tile, look)
        pixels = arrange_tiles(tiles, box.grid.columns, box.grid.rows, page.colour("tick"), page.colour("floor"))
        page.picture(box.x, box.y, box.width, box.height, pixels)
        for place in called:
            if place in places:
                left, top, right, bottom = box.tile_box(places.index(place), page.pixel)
                page.frame(left, top, right - left, bottom - top, "text", CALLED)
