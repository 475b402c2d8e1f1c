"""Laws of plates, checked with a hundred models' graphs and with extremes, at the widths of one and of two columns."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from innerwalk.blender_addon.layout.blocks import represented_block
from innerwalk.blender_addon.layout.edge_routes import end_links
from innerwalk.blender_addon.layout.hall_model import BoardLinks
from innerwalk.blender_addon.pages.font import text_length
from innerwalk.blender_addon.pages.page import POINT, FlatPage, PageText
from innerwalk.blender_addon.pages.page_style import SMALLEST
from innerwalk.blender_addon.pages.plate.boards import PlateBoard
from innerwalk.blender_addon.pages.plate.graph import (
    MOST_PANELS,
    PlateNode,
    chain_joints,
    plate_graph,
    plate_graphs,
    with_maps,
)
from innerwalk.blender_addon.pages.plate.labels import PlateLabels, add_key, key_height, plate_labels
from innerwalk.blender_addon.pages.plate.layout import fit_plate
from innerwalk.blender_addon.pages.plate.lines import ColumnSizes, break_lines, columns_of
from innerwalk.blender_addon.pages.plate.model import PlateLayout, PlateStyle
from innerwalk.blender_addon.pages.plate.nets import skip_links
from innerwalk.blender_addon.pages.plate.panel_names import panel_names
from innerwalk.blender_addon.pages.plate.places import place
from innerwalk.blender_addon.pages.plate.tracks import free_place
from innerwalk.tests.support.graphs import chain, dense, graph, names, panel

DOUBLE = 170.0
SINGLE = 85.0
HEAD = 9.0
PAGE = 240.0 + 0.1
TOUCHING = 0.04
"""Millimetres that are nothing in print."""


def plate(name: str, width: float) -> PlateLayout:
    layers, links = graph(name)
    return laid_out(layers, links, end_links(len(layers), links), width)


def laid_out(layers, links, ends: BoardLinks, width: float = DOUBLE) -> PlateLayout:
    return labelled(layers, links, ends, width)[0]


def labelled(layers, links, ends: BoardLinks, width: float) -> tuple[PlateLayout, PlateLabels]:
    """With a picture for each input and text for each output."""
    inputs = [PlateNode("input", k, aspect=1.5) for k in range(len(ends.inputs))]
    outputs = [PlateNode("output", k, aspect=0, lines=11) for k in range(len(ends.answers))]
    boards = [PlateBoard(f"board {k}", ("9 × 9",)) for k in range(len(inputs) + len(outputs))]
    graphs = plate_graphs(layers, links, ends, inputs, outputs)
    return fit_plate(graphs, PlateStyle(width, 300), HEAD, lambda layout: plate_labels(layout, boards, boards))


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether each (left, top, right, bottom) of the first (n, 4) overlaps each of the second (m, 4): (n, m) bool."""
    a, b = first[:, None], second[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    return (high - low > TOUCHING).all(-1)


def with_label(layout: PlateLayout, box) -> tuple[float, float, float, float]:
    if box.grid is None:
        return (box.x, box.y, box.right, box.bottom)
    left, right = min(box.room[0], box.x), max(box.room[1], box.right)
    return (left, box.y, right, box.bottom + layout.style.label)


def assert_laws(layout: PlateLayout) -> None:
    boxes = np.array([with_label(layout, box) for box in layout.boxes.values()])
    page = (0.0, HEAD, layout.style.width, layout.height)
    assert (boxes[:, :2] >= np.array(page[:2]) - TOUCHING).all() and (
        boxes[:, 2:] <= np.array(page[2:]) + TOUCHING
    ).all()
    assert not np.triu(overlaps(boxes, boxes), 1).any(), "panels and their labels are apart"
    assert {(edge.source, target) for edge in layout.edges for target in edge.targets} == set(layout.graph.links)
    pieces = [(number, *start, *end) for number, edge in enumerate(layout.edges) for start, end in edge.segments]
    owners = np.array([piece[0] for piece in pieces], int)
    spans = np.array([(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for _, x0, y0, x1, y1 in pieces]).reshape(
        -1, 4
    )
    assert (np.minimum(spans[:, 2] - spans[:, 0], spans[:, 3] - spans[:, 1]) < 1e-6).all(), "edges are orthogonal"
    assert (spans[:, :2] >= np.array(page[:2]) - 3).all() and (spans[:, 2:] <= np.array(page[2:]) + TOUCHING).all()
    assert spans[:, 0].min(initial=0) >= 0
    inner = np.array(
        [(b.x, b.y, b.right, b.bottom + layout.style.label * (b.grid is not None)) for b in layout.boxes.values()]
    )
    thick = spans + np.array([-TOUCHING, -TOUCHING, TOUCHING, TOUCHING])
    assert not overlaps(thick, inner + np.array([1, 1, -1, -1]) * 2 * TOUCHING).any(), (
        "no edge crosses a panel or label"
    )
    assert not along(spans, owners).any(), "no edge runs along another"


def along(spans: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Whether pieces of different edges share more than a crossing: (n, n) bool."""
    found = np.zeros((len(spans), len(spans)), bool)
    for level, across in ((1, 0), (0, 1)):
        flat = spans[:, level] == spans[:, level + 2]
        near = np.abs(spans[:, None, level] - spans[None, :, level]) < TOUCHING
        common = np.minimum(spans[:, None, across + 2], spans[None, :, across + 2]) - np.maximum(
            spans[:, None, across], spans[None, :, across]
        )
        found |= flat[:, None] & flat[None] & near & (common > 0.01)
    return np.triu(found, 1) & (owners[:, None] != owners[None])


def assert_mostly_maps(layout: PlateLayout) -> None:
    count = sum(box.grid is not None for box in layout.boxes.values())
    assert count <= MOST_PANELS
    is_collapsed = any(represented_block(layer)[1] for layer in layout.graph.layers)
    if count >= 5:  # beside fewer, the input and the answer take their share
        assert layout.tile_share >= (0.40 if count <= 30 and not is_collapsed else 0.25)


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
@pytest.mark.parametrize("name", names())
def test_a_plate_holds_its_laws(name, width):
    layers, links = graph(name)
    layout, labels = labelled(layers, links, end_links(len(layers), links), width)
    assert_laws(layout)
    assert_mostly_maps(layout)
    assert_named(layout, labels)
    assert layout.height <= PAGE, "it fits a page"
    assert layout.style.words >= SMALLEST and layout.style.line_height >= SMALLEST * POINT


def assert_named(layout: PlateLayout, labels: PlateLabels) -> None:
    """Below each panel stands a whole name, or a number that the key explains, which no other panel has."""
    known, numbers = panel_names(layout.graph.layers), {entry.number for entry in labels.key}
    panels = {node: box for node, box in layout.boxes.items() if box.grid is not None}
    names = [labels.names[node] for node in panels]
    assert len(set(names)) == len(names) and len(numbers) == len(labels.key) <= len(labels.names) / 3
    for node, box in panels.items():
        name, room = labels.names[node], layout.style.room(box.room[1] - box.room[0]) + 0.01
        assert name in numbers or name in known[layout.graph.nodes[node].number]
        assert text_length(name) <= room and text_length(labels.captions[node]) <= room
        assert labels.captions[node] or name in numbers


def test_the_laws_notice_an_edge_through_a_panel_and_one_along_another():
    layout = plate("u_net", DOUBLE)
    edges, box = layout.edges, next(box for box in layout.boxes.values() if box.grid)
    through = (((box.x - 1, box.y + 1), (box.right, box.y + 1)),)
    for segments, law in ((through, "crosses a panel"), (edges[1].segments, "along another")):
        layout.edges = [replace(edges[0], segments=segments, heads=()), *edges[1:]]
        with pytest.raises(AssertionError, match=law):
            assert_laws(layout)


def test_lines_are_read_like_text():
    """Every edge leads to the right in its line, or to a later line."""
    layout = plate("inception_v3", DOUBLE)
    for first, second in layout.graph.links:
        source, target = layout.boxes[first], layout.boxes[second]
        assert (source.line, source.column) < (target.line, target.column)
        assert source.line < target.line or source.right < target.x


def test_parallel_branches_are_parallel_rows():
    layout = plate("squeezenet1_0", DOUBLE)
    nodes = layout.graph.nodes
    panels = {node: box for node, box in layout.boxes.items() if box.grid}
    by_id = {layout.graph.layers[nodes[node].number].id: box for node, box in panels.items()}
    for block in (3, 4, 8):
        left, right = by_id[f"features.{block}.expand1x1"], by_id[f"features.{block}.expand3x3"]
        assert (left.line, left.column) == (right.line, right.column) and left.bottom < right.y


def test_a_joint_of_an_earlier_joint_and_more_reads_that_joint():
    layers, links = dense(6)
    found = chain_joints(layers, links)
    joints = [k for k, layer in enumerate(layers) if layer.role == "joint"]
    for before, joint in itertools.pairwise(joints[1:]):
        assert sorted(source for source, target in found if target == joint) == sorted([before, joint - 1])
    assert len(found) < len(links)


def test_only_panels_with_maps_are_shown_and_links_lead_through_the_others():
    layers, links = graph("squeezenet1_0")
    shown = {"features.0", "features.4.squeeze", "features.4.expand3x3"}
    (kept, through), ends = with_maps(layers, links, end_links(len(layers), links), shown)
    assert [layer.id for layer in kept[:3]] == ["features.0", "features.4.squeeze", "features.4.expand3x3"]
    assert len(kept) == 4 and kept[3].role == "joint", "the answer is made of the two that it joins"
    assert through == [(0, 1), (1, 2), (1, 3), (2, 3)]
    assert kept[3].shows == "features.4.expand3x3", "where it stands for a block"
    assert ends == BoardLinks(((0,),), ((3,),))


def test_each_input_and_output_has_its_own_edges():
    """Two towers that meet: text feeds one, the picture the other, and each embedding is made of its own tower."""
    layers = [panel(f"{tower}.{k}", (8, 4, 4)) for tower in ("text", "vision") for k in range(3)]
    links = [(0, 1), (1, 2), (3, 4), (4, 5)]
    ends = BoardLinks(((0,), (3,)), ((2, 5), (2,), (5,)))
    layout = laid_out(layers, links, ends)
    assert_laws(layout)
    assert {(0, 2), (1, 5)} <= set(layout.graph.links), "inputs come first"
    assert {(4, 8), (7, 8), (4, 9), (7, 10)} <= set(layout.graph.links)
    boxes = layout.boxes
    places = [(boxes[k].line, boxes[k].column) for k in range(11)]
    assert max(places[:2]) < min(places[2:8]) and max(places[2:8]) < min(places[8:])


def test_links_of_boards_lead_through_layers_without_maps():
    layers = [panel(id, (8, 4, 4)) for id in ("text.0", "text.1", "vision.0", "vision.1")]
    ends = BoardLinks(((0,), (2,)), ((1, 3),))
    (kept, links), found = with_maps(layers, [(0, 1), (2, 3)], ends, {"text.1"})
    assert [layer.id for layer in kept] == ["text.1"] and not links
    assert found == BoardLinks(((0,), ()), ((0,),))


def test_places_that_all_are_taken_are_shared_at_once():
    assert free_place(1.0, 1.0, 1.0, [1.0, 1.0], 0.5) == 1.0
    assert free_place(1.0, 0.0, 3.0, [1.0], 0.5) == pytest.approx(0.4995)


@pytest.mark.parametrize("count", [111, 3000])
def test_networks_that_are_too_large_are_shown_by_blocks_with_a_count(count):
    layers, links = chain(count) if count < 1000 else ([panel(f"m{k}", (4, 8, 8)) for k in range(count)], [])
    found = plate_graph(layers, links, BoardLinks((), ()))
    assert 6 <= len(found.nodes) <= MOST_PANELS
    told = sum(int(note.split()[1]) if (note := layer.note) else 1 for layer in found.layers)
    assert told == count


def test_what_has_no_room_for_its_name_has_a_number_and_a_line_of_the_key_below_the_plate():
    layers = [panel(f"Encoder{k}Attention", (1, 300, 8)) for k in range(40)]
    graph, style = plate_graph(layers, [(k, k + 1) for k in range(39)], BoardLinks((), ())), PlateStyle(50.0, 300)
    sizes = ColumnSizes(graph, style, 12.0, has_names=False)
    layout = PlateLayout(graph, style, break_lines(columns_of(graph, 1), sizes))
    place(layout, sizes, [2.0] * (len(layout.lines) + 1), (0.0, 0.0), HEAD)
    key = plate_labels(layout).key
    assert [entry.number for entry in key] == [str(k) for k in range(1, 41)]
    page = FlatPage(50.0, layout.height + key_height(key, style), "paper", 300)
    add_key(page, key, style)
    texts = [item for item in page.items if isinstance(item, PageText)]
    assert {"1", "40", "Encoder39Attention, 1 × 300 × 8"} <= {text.text for text in texts}
    bounds = np.array([text.bounds() for text in texts])
    assert not np.triu(overlaps(bounds, bounds), 1).any()
    assert bounds[:, 1].min() > layout.height - style.margin and bounds[:, 3].max() < page.height
    assert bounds[:, 0].min() > 0 and bounds[:, 2].max() < 50


def test_deeper_blocks_are_kept_where_they_fit_and_the_layer_that_is_called_out_is_never_hidden():
    layers, links = chain(100)
    ends = BoardLinks((), ())
    counts = [len(found.layers) for found in plate_graphs(layers, links, ends)]
    assert counts[0] == 100 and counts == sorted(counts, reverse=True) and len(set(counts)) == len(counts) > 2
    for found in plate_graphs(layers, links, ends):
        assert sum(represented_block(layer)[0] for layer in found.layers) == 100
    kept = list(plate_graphs(layers, links, ends, keep=layers[7].id))
    assert kept and all(layers[7].id in {layer.id for layer in found.layers} for found in kept)


def test_what_skips_is_a_matter_of_the_network_not_of_its_layout():
    fork = [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert skip_links(fork) == set()
    assert skip_links([*fork, (0, 3), (3, 4), (1, 4)]) == {(0, 3), (1, 4)}
