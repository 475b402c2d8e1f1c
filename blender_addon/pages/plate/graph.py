"""What a plate shows of a network: the layers with maps, or blocks of them, and boards of inputs and outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....torch_bridge.recording import Layer
from ....torch_bridge.recording.data_model import MAX_LINKS
from ....torch_bridge.recording.errors import SceneError
from ...layout.blocks import FEWEST, Block, Graph, collapse, collapse_to_fit, representatives, represented_block
from ...layout.hall_model import BoardLinks
from ..font import text_length
from .panel_names import panel_names

MOST_PANELS = 110
"""Panels of a plate; of a larger network it shows blocks."""
MOST_NODES = 3 * MOST_PANELS
"""Panels and joints of a plate."""
FEWER = 0.8
"""Share of the panels that is left at most where more blocks are collapsed."""

NodeKind = Literal["panel", "joint", "input", "output"]


@dataclass(frozen=True)
class PlateNode:
    """A thing on a plate that edges lead to or from."""

    kind: NodeKind
    number: int
    """Position in the list of layers, or of inputs, or of outputs."""
    channels: int = 1
    """Of a panel."""
    aspect: float = 1.0
    """Width to height of a map, or of a board's picture; 0 for a board of a fixed width, with text."""
    texels: int = 1
    """Values on a map's longer side."""
    lines: float = 0.0
    """Height of a board with text, in lines."""
    label: float = 0.0
    """Length of its shortest name or, if that is longer, of its shortest caption; in sizes of text."""
    called: tuple[int, ...] = ()
    """Of a board with a channel that is called out: places of its panel's channels, its own first, then those that are
    shown rather than others."""

    @property
    def is_board(self) -> bool:
        """Whether it is an input or an output."""
        return self.kind in ("input", "output")


@dataclass(frozen=True)
class PlateGraph:
    """Nodes with inputs first and outputs last, and the data flow between them."""

    layers: list[Layer]
    nodes: list[PlateNode]
    links: list[tuple[int, int]]
    """(source, target) positions of nodes, source before target, each once."""


def with_maps(
    layers: Sequence[Layer], links: Iterable[tuple[int, int]], ends: BoardLinks, shown: Collection[str]
) -> tuple[Graph, BoardLinks]:
    """Returns only the panels whose maps are in `shown`, by layer id, and the joints that still join several.

    Links, and those of the boards in `ends`, lead through what is left out. Joints without maps show those of the last
    panel that they join. Raises SceneError where there are too many links.
    """
    sources = _sources(len(layers), links, ends.inputs)
    stands: list[dict[int, None]] = []  # of each layer, the kept ones and the inputs (-1, -2, …) its value comes from
    found: dict[int, list[int]] = {}  # sources of each kept layer
    merged = 0
    for k, layer in enumerate(layers):
        merged += sum(len(stands[source]) for source in sources[k] if source >= 0)
        if merged > MAX_LINKS:
            raise SceneError(
                f"more than {MAX_LINKS:,} links lead through layers without maps; record maps of more layers"
            )
        origins = _origins(stands, sources[k])
        if len(origins) > 1 if layer.role == "joint" else (layer.shows or layer.id) in shown:
            found[k] = list(origins)
            origins = {k: None}
        stands.append(origins)
    answers = [_origins(stands, read) for read in ends.answers]
    used = {origin for origins in answers for origin in origins}  # joints that nothing reads are no use
    for k in reversed(found):
        if layers[k].role != "joint" or k in used:
            used.update(found[k])
    kept = [k for k in found if layers[k].role != "joint" or k in used]
    place = {old: new for new, old in enumerate(kept)}
    seen: dict[int, str] = {}  # whose maps are shown where a joint stands for a block
    for k in kept:
        own = layers[k].shows or layers[k].id
        seen[k] = own if own in shown else next((seen[origin] for origin in found[k][::-1] if origin >= 0), own)
    graph = (
        [replace(layers[k], shows=seen[k]) for k in kept],
        [(place[origin], place[k]) for k in kept for origin in found[k] if origin >= 0],
    )
    fed = tuple(tuple(place[k] for k in kept if -1 - number in found[k]) for number in range(len(ends.inputs)))
    return graph, BoardLinks(fed, tuple(tuple(place[k] for k in read if k >= 0) for read in answers))


def _sources(count: int, links: Iterable[tuple[int, int]], fed: Iterable[Iterable[int]]) -> list[dict[int, None]]:
    """Returns the sources of each layer: inputs as -1, -2, …, then layers."""
    found: list[dict[int, None]] = [{} for _ in range(count)]
    for number, targets in enumerate(fed):
        for target in targets:
            found[target][-1 - number] = None
    for source, target in links:
        found[target][source] = None
    return found


def _origins(stands: Sequence[dict[int, None]], sources: Iterable[int]) -> dict[int, None]:
    """Returns what the values of some layers and inputs come from, each once."""
    return {origin: None for source in sources for origin in (stands[source] if source >= 0 else (source,))}


def fewer_panels(layers: Sequence[Layer], links: Iterable[tuple[int, int]], most: int = MOST_PANELS) -> Graph:
    """Returns a network of at most so many panels: blocks, or runs of equal length where its names have none."""
    found = collapse_to_fit(layers, links, most)
    if _panel_count(found[0]) <= most and len(found[0]) <= MOST_NODES:
        return found
    count = len(found[0])
    starts = [k * count // most for k in range(most + 1)]
    runs = [
        Block(first, end - 1, f"{first + 1}–{end}", sum(layer.role != "joint" for layer in found[0][first:end]))
        for first, end in zip(starts[:-1], starts[1:], strict=True)
    ]
    return collapse(*found, runs)


def _panel_count(layers: Iterable[Layer]) -> int:
    return sum(layer.role != "joint" for layer in layers)


def chain_joints(layers: Sequence[Layer], links: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the links of a network in which a joint of all that an earlier joint joins, and more, reads that joint.

    The values are the same, and a dense block of n layers has n links into its joints instead of n² / 2.
    """
    sources: dict[int, list[int]] = {}
    for source, target in links:
        sources.setdefault(target, []).append(source)
    whole = {k: frozenset(sources.get(k, ())) for k, layer in enumerate(layers) if layer.role == "joint"}
    found: list[tuple[int, int]] = []
    for target, named in sources.items():
        parts = whole.get(target, frozenset())
        inner = (k for k in whole if k < target and len(whole[k]) > 1 and whole[k] < parts)
        base = max(inner, key=lambda k: (len(whole[k]), k), default=-1)
        known = whole.get(base, frozenset())
        found += [(base, target)] * (base >= 0) + [(source, target) for source in named if source not in known]
    return found


def plate_graph(
    layers: Sequence[Layer],
    links: Iterable[tuple[int, int]],
    ends: BoardLinks,
    inputs: Sequence[PlateNode] = (),
    outputs: Sequence[PlateNode] = (),
    most: int = MOST_PANELS,
) -> PlateGraph:
    """Returns the nodes of a plate: inputs, layers or blocks of them, and outputs, with all edges.

    ends: which layers each input feeds and each output is made of, in the order of `inputs` and `outputs`. most:
    panels.
    """
    shown, kept = fewer_panels(layers, links, most)
    stands, first = representatives(layers, shown), len(inputs)
    found = [(source + first, target + first) for source, target in chain_joints(shown, kept)]
    places = [first + stands[layer.id] for layer in layers]
    found += [(k, places[layer]) for k, fed in enumerate(ends.inputs[:first]) for layer in fed]
    after = first + len(shown)
    found += [(places[layer], after + k) for k, read in enumerate(ends.answers[: len(outputs)]) for layer in read]
    names = panel_names(shown)
    nodes = [*inputs, *(_layer_node(k, layer, names[k]) for k, layer in enumerate(shown)), *outputs]
    return PlateGraph(shown, nodes, list(dict.fromkeys(found)))


def plate_graphs(
    layers: Sequence[Layer],
    links: Sequence[tuple[int, int]],
    ends: BoardLinks,
    inputs: Sequence[PlateNode] = (),
    outputs: Sequence[PlateNode] = (),
    keep: str = "",
) -> Iterator[PlateGraph]:
    """Yields graphs of fewer and fewer panels, in which ever larger blocks are collapsed.

    keep: id of a layer that always has a panel, "" for none. Other arguments are those of `plate_graph`.
    """
    most = MOST_PANELS
    while most >= FEWEST:
        graph = plate_graph(layers, links, ends, inputs, outputs, most)
        if keep and keep not in {layer.id for layer in graph.layers}:
            return
        yield graph
        most = int(FEWER * min(_panel_count(graph.layers), most))


def _layer_node(number: int, layer: Layer, names: Sequence[str]) -> PlateNode:
    channels, height, width = layer.map_shape
    aspect = min(max(max(width, 1) / max(height, 1), 1 / 8), 8.0)
    kind: NodeKind = "joint" if layer.role == "joint" else "panel"
    count, block = represented_block(layer)
    label = max(min(map(text_length, names)), text_length(f"{count} layers") if block else 0.0)
    return PlateNode(kind, number, max(channels, 1), aspect, max(height, width, 1), label=label)
