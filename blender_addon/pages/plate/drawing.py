"""Draws a plate: panels with their tiles, names and shapes, edges, and the boards of inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....torch_bridge.recording import Layer
from ...imaging.channel_ranking import strongest_channels
from ...layout.blocks import represented_block
from ...layout.planner import slot_kind
from ...layout.text_fitting import common_tails, layer_names
from ...plans.floor import rim_colour
from ..font import first_fitting, printable
from ..map_pictures import arrange_tiles, draw_tiles
from ..page import FlatPage, PageLine, PageShape
from ..page_options import ShownMaps
from .board_drawing import add_label, draw_board
from .boards import PlateBoard
from .call_outs import called_places
from .model import PlateBox, PlateEdge, PlateLayout

LINES = {"data": 0.25, "skip": 0.22, "joined": 0.22}
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

    def draw(self) -> None:
        """Draws edges first, then nodes."""
        for kind in ("data", "joined", "skip"):
            for edge in self.layout.edges:
                if edge.kind == kind:
                    self._edge(edge)
        names = panel_names(self.layout.graph.layers)
        for box in self.layout.boxes.values():
            node = self.layout.graph.nodes[box.node]
            if node.kind == "panel":
                self._panel(box, self.layout.graph.layers[node.number], names[node.number])
            elif node.kind == "joint":
                self.page.box(box.x, box.y, box.width, box.height, "joined")
            else:
                boards = self.inputs if node.kind == "input" else self.outputs
                draw_board(self.page, self.layout.style, box, boards[node.number])

    def _edge(self, edge: PlateEdge) -> None:
        colour, width = self.page.colour(edge.kind), LINES[edge.kind]
        heads = {head: self.layout.style.head * 0.8 for head in edge.heads}
        for start, end in edge.segments:
            if (shorter := heads.get(end)) is not None and end[0] - start[0] > shorter:
                end = (end[0] - shorter, end[1])
            self.page.items.append(PageLine((start, end), width, colour))
        for (x, y), length in heads.items():
            half = 0.42 * length
            self.page.items.append(PageShape(((x - 0.12, y), (x - length, y - half), (x - length, y + half)), colour))

    def _panel(self, box: PlateBox, layer: Layer, names: Sequence[str]) -> None:
        self._tiles(box, layer)
        kind = rim_colour(slot_kind(layer))
        line = SUM_RIM if kind == "sum" else RIM
        self.page.frame(box.x, box.y, box.width, box.height, kind, line)
        style = self.layout.style
        room = style.room(box.room[1] - box.room[0])
        add_label(self.page, style, box, first_fitting(names, room), first_fitting(self._shapes(box, layer), room))

    def _shapes(self, box: PlateBox, layer: Layer) -> list[str]:
        """Returns the texts that say what a panel shows, longest first."""
        maps = self.shown.of(layer)
        channels, height, width = layer.map_shape
        all_channels = channels
        if maps is not None and maps.channel_numbers and channels > 1:
            all_channels = self.shown.recording.network.layer(maps.layer).map_shape[0]
        shown = box.grid.shown if box.grid is not None else channels
        count = f"{shown} of {all_channels}" if shown < all_channels else f"{channels}"
        size = "" if height == width == 1 else f" × {height} × {width}"
        layers, block = represented_block(layer)
        texts = [f"{count}{size}", f"{channels}{size}", f"{channels}{size}".replace(" ", ""), f"{channels}"]
        if shown < all_channels:  # what isn't shown is never left out
            texts = [texts[0], count, f"{shown}/{all_channels}"]
        return [f"{layers} layers: {count}{size}", f"{layers} layers"] if block else texts

    def _tiles(self, box: PlateBox, layer: Layer) -> None:
        maps, page = self.shown.of(layer), self.page
        if maps is None or box.grid is None:
            page.box(box.x, box.y, box.width, box.height, "track")
            return
        called = called_places(self.shown, maps)
        places = list(range(maps.channels))
        if maps.channels > box.grid.shown:
            strongest = strongest_channels(maps.data if not maps.colour else maps.data.mean(-1), box.grid.shown)
            places = sorted(list(dict.fromkeys((*called, *strongest.tolist())))[: box.grid.shown])
        look = self.shown.options.look
        tiles = draw_tiles(maps, places, self.shown.peaks(maps, places), box.tile, look)
        pixels = arrange_tiles(tiles, box.grid.columns, box.grid.rows, page.colour("tick"), page.colour("floor"))
        page.picture(box.x, box.y, box.width, box.height, pixels)
        for place in called:
            self._frame_tile(box, places.index(place), box.grid.columns)

    def _frame_tile(self, box: PlateBox, number: int, columns: int) -> None:
        """Frames the tile that stands at a place of a panel's grid, counted by rows."""
        row, column = divmod(number, columns)
        (width, height), pixel = box.tile, self.page.pixel
        x, y = box.x + column * (width + 1) * pixel, box.y + row * (height + 1) * pixel
        self.page.frame(x, y, width * pixel, height * pixel, "skip", CALLED)


def panel_names(layers: Sequence[Layer]) -> list[list[str]]:
    """Returns the names of each layer, longest first: an end of its path that tells all layers apart, and shorter ends.

    Shorter ones have a number or are no other layer's. A panel that represents a block has the block's name.
    """
    common = common_tails(layers)
    blocks = [represented_block(layer)[1] for layer in layers]
    tails = [
        [name.lstrip(":") for name in layer_names(replace(layer, id=block) if block else layer, common)[::-1]]
        for layer, block in zip(layers, blocks, strict=True)
    ]
    paths = {layer.id.split("@")[0] for layer in layers}
    depth = 1
    while len({names[min(depth, len(names)) - 1] for names in tails}) < len(paths) and depth < max(map(len, tails)):
        depth += 1
    counts = Counter(name for names in tails for name in names)
    return [
        [printable(names[-1])] + [printable(name) for name in names[-2::-1] if counts[name] == 1 or _has_digit(name)]
        for names in (tail[:depth] for tail in tails)
    ]


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
