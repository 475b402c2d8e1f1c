"""The preset plate: the whole network on a page."""

from __future__ import annotations

from dataclasses import replace

from ....torch_bridge.recording import Layer, Maps, Recording
from ....torch_bridge.recording.errors import SceneError
from ...layout.blocks import board_links, shown_graph
from ...layout.hall_model import BoardLinks
from ...plans.legend import EDGE_KINDS
from ...plans.shown_endpoints import shown_layers
from ...plans.title_board import title_facts
from ..page import FlatPage
from ..page_head import add_head, head_height
from ..page_options import PageOptions, ShownMaps, page_title
from .boards import input_boards, output_boards
from .call_outs import call_out_boards
from .drawing import PlateDrawing
from .graph import plate_graphs, with_maps
from .labels import plate_labels
from .layout import fit_plate
from .model import PlateStyle


def draw_plate(recording: Recording, options: PageOptions) -> FlatPage:
    """Draws the plate of a recording; only layers that have maps of the method are on it.

    The channels of the options' layer are called out: enlarged behind the outputs, and framed on their panel. Raises
    UnknownName or SceneError.
    """
    recording.check_method(options.method)
    shown = ShownMaps(recording, options)
    layers, links = shown_graph(recording.network, options.collapse)
    ends = board_links(recording.network, (layers, links), shown_layers(recording))
    mapped = {id for id, method in recording.all_maps if method == options.method}
    (layers, links), ends = with_maps(layers, links, ends, mapped)
    if not layers:
        raise SceneError(f"no panel of {recording.network.name!r} has maps of {options.method}")
    layers = [_as_shown(layer, shown.of(layer)) for layer in layers]
    inputs, outputs = input_boards(recording, options.look), output_boards(recording, options.look)
    called, source = call_out_boards(shown, layers, links)
    outputs += called
    ends = BoardLinks(ends.inputs, ends.answers[: len(outputs) - len(called)] + ((source,),) * len(called))
    style = PlateStyle(options.width, options.dpi)
    starts = [board.node("input", number, style) for number, board in enumerate(inputs)]
    answers = [board.node("output", number, style) for number, board in enumerate(outputs)]
    totals = {layer.id: _channels(recording, shown.of(layer)) for layer in layers}

    graphs = plate_graphs(layers, links, ends, starts, answers, keep=layers[source].id if called else "")
    layout, labels = fit_plate(
        graphs, style, head_height(style), lambda layout: plate_labels(layout, inputs, outputs, totals)
    )
    page = FlatPage(options.width, layout.height, options.theme, options.dpi)
    PlateDrawing(page, layout, shown, inputs, outputs, labels).draw()
    kinds = [kind for kind in EDGE_KINDS if any(edge.kind == kind for edge in layout.edges)]
    panels = [box for box in layout.boxes.values() if box.grid is not None]
    reduced = any(box.grid is not None and box.grid.shown < layout.graph.nodes[box.node].channels for box in panels)
    notes = [
        maps.note for layer in layout.graph.layers if layer.role != "joint" and (maps := shown.of(layer)) is not None
    ]
    title = page_title(recording, options)
    facts = title_facts(recording.network, title, len(panels), has_reduced_panels=reduced, maps_notes=notes)
    add_head(page, style, facts, shown.scale, kinds)
    return page


def _channels(recording: Recording, maps: Maps | None) -> int:
    """Returns the channels of the layer whose maps may be of some of them only, 0 where that isn't known."""
    if maps is None or not maps.channel_numbers or maps.channels == 1:
        return 0
    return recording.network.layer(maps.layer).map_shape[0]


def _as_shown(layer: Layer, maps: Maps | None) -> Layer:
    """Returns a layer with the shape of its maps, which may be of some channels or over the input."""
    return layer if maps is None else replace(layer, map_shape=maps.shape)
