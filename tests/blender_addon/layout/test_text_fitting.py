"""Names, their lengths, and labels that neither cover panels nor each other and are never too small."""

from collections import Counter

import numpy as np
import pytest

from innerwalk.blender_addon.layout import camera_presets, label_placement
from innerwalk.blender_addon.layout.figure_projection import FigureProjection, overlaps, text_below_box
from innerwalk.blender_addon.layout.text_fitting import CAP, common_tails, layer_names, text_width
from innerwalk.tests.support.graphs import WIDTH, figure, graph, panel, walk
from innerwalk.tests.support.graphs import names as all_names

TEXT = "window 63 of 64"
"""What stands below a panel that shows one of many windows."""


def flat(view, label):
    return view.project(label.corners())[:, :2]


def apart(first, second):
    """Whether two convex quadrilaterals (4, 2) share no area: an edge of one separates them."""
    for shape in (first, second):
        for k in range(4):
            normal = np.array([[0, -1], [1, 0]]) @ (shape[(k + 1) % 4] - shape[k])
            a, b = first @ normal, second @ normal
            if a.max() <= b.min() + 1e-6 or b.max() <= a.min() + 1e-6:
                return True
    return False


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("layer3.2.conv1", ["layer3.2.conv1", "2.conv1", "conv1"]),
        ("features.3", ["features.3"]),
        ("layer1.0:add", ["layer1.0 +"]),
        ("layer1.0:add@2", ["layer1.0 +@2"]),
        ("layer1.0:sub", ["layer1.0 −"]),
        ("encoder.mlp:mul", ["encoder.mlp ×", "mlp ×"]),
        ("conv@2", ["conv@2"]),
        ("block.attn:scaled_dot_product_attention", ["block.attn attention", "attn attention"]),
        (":add", [":add"]),
        ("5", ["5"]),
    ],
)
def test_names_are_tails_of_the_path(id, expected):
    assert layer_names(panel(id, (1, 1, 1)), ()) == expected


@pytest.mark.parametrize("name", ["vit_b_16", "resnet50"])
def test_sums_and_attention_have_names_where_there_is_room(name):
    layers = graph(name)[0]
    named = {label.slot for label in label_placement.walk_labels(walk(name), layers) if label.font == "mono"}
    room = {slot.index: slot.width for slot in walk(name).panels}
    shown = [k for k, layer in enumerate(layers) if "attention" in layer.id or ":add" in layer.id]
    spacious = [k for k in shown if k in room and room[k] > 2.0]
    assert len(spacious) >= 5 and set(spacious) <= named


def test_a_last_part_that_most_share_is_dropped():
    layers = [panel(f"Mixed.branch{k}.conv", (8, 4, 4)) for k in range(9)] + [panel("fc", (10, 1, 1))]
    assert common_tails(layers) == {"conv"}
    assert layer_names(layers[2], {"conv"})[-1] == "branch2"


def test_lengths_are_upper_estimates():
    """Measured on Blender's fonts: Noto Sans and DejaVu Sans Mono, capitals 0.52 high."""
    for text, measured in (("149 × 149 to 35 × 35", 7.0), ("26 layers, 3,976 channels", 8.54), ("wwmmWW%", 4.47)):
        assert measured <= text_width(text) <= 1.25 * measured
    assert text_width("layer1.0", "mono") == pytest.approx(8 * 0.4294, rel=0.01)
    assert text_width("中文") > 1.4


@pytest.mark.parametrize("name", all_names())
def test_labels_of_a_figure_stand_free(name):
    hall, view = figure(name)
    layers, _ = graph(name)
    lying = [*label_placement.stage_labels(hall, view), *label_placement.block_labels(hall, layers, view)]
    projection, shapes = FigureProjection.of(hall, view), [flat(view, label) for label in lying]
    for k, label in enumerate(lying):
        assert not projection.is_hidden(label.corners()[[0, 1]]).any()
        assert all(apart(shapes[k], other) for other in shapes[:k])


@pytest.mark.parametrize("name", all_names())
def test_names_over_panels_cover_nothing(name):
    hall, view = figure(name)
    found = label_placement.panel_labels(hall, graph(name)[0], view)
    projection = FigureProjection.of(hall, view)
    assert not found or 2 * len(found) >= len(hall.panels)
    boxes = [projection.locate(label.corners())[:, :2] for label in found]
    boxes = np.array([np.append(box.min(0), box.max(0)) for box in boxes]).reshape(-1, 4)
    for k, box in enumerate(boxes):
        assert not projection.overlaps_panels(box).any()
        assert np.count_nonzero((boxes[:, :2] < box[2:]).all(1) & (boxes[:, 2:] > box[:2]).all(1)) == 1, found[k].text


def covered_texts(name: str, positions: dict[int, str]) -> int:
    """How many of the texts below panels the names of a figure, which knows of these texts, lie on."""
    hall, view = figure(name)
    found = label_placement.panel_labels(hall, graph(name)[0], view, positions)
    if not found:
        return 0
    projection, size = FigureProjection.of(hall, view), found[0].size
    texts = [
        text_below_box(projection, k, size, min(text_width(TEXT) * size, max(slot.width, 0.6)))
        for k, slot in enumerate(hall.panels)
    ]
    boxes = [projection.locate(label.corners())[:, :2] for label in found]
    return sum(overlaps(np.array(texts), np.append(box.min(0), box.max(0))).any() for box in boxes)


def test_names_over_panels_leave_the_texts_below_panels_free():
    positions = {name: {slot.index: TEXT for slot in figure(name)[0].panels} for name in all_names()}
    assert sum(covered_texts(name, {}) for name in all_names()), "the texts would be covered"
    assert not any(covered_texts(name, positions[name]) for name in all_names())


def test_no_label_of_a_figure_is_too_small():
    for name in all_names():
        hall, view = figure(name)
        for label in label_placement.stage_labels(hall, view):
            share = label_placement.COUNT_SIZE if label.tone == "quiet" else 1.0
            assert label.size * CAP * WIDTH / view.span >= share * label_placement.LEAST - 1e-6, name
        for label in label_placement.panel_labels(hall, graph(name)[0], view):
            assert label.size * CAP * WIDTH / view.span >= label_placement.NAMES[-1] - 1e-6, name


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "squeezenet1_0", "convnext_tiny", "vgg16", "u_net"])
def test_well_known_networks_have_their_names(name):
    hall, view = figure(name)
    assert len(label_placement.panel_labels(hall, graph(name)[0], view)) >= len(hall.panels) / 2
    texts = [label.text for label in label_placement.stage_labels(hall, view)]
    assert len(texts) == 2 * len(hall.stages)


def test_every_stage_and_block_of_resnet_is_written():
    hall, view = figure("resnet50")
    texts = {label.text for label in label_placement.block_labels(hall, graph("resnet50")[0], view)}
    assert {"layer1.0", "layer2.3", "layer3.5", "layer4.2"} <= texts


def test_names_for_a_walker_fit_their_panels_and_are_their_own():
    for name in all_names():
        hall = walk(name)
        found = [label for label in label_placement.walk_labels(hall, graph(name)[0]) if label.font == "mono"]
        assert max(Counter(label.text for label in found).values(), default=0) <= 1, name
        assert all(label.width <= hall.slots[label.slot].width + 1e-9 for label in found), name


def test_a_walker_reads_near_labels_and_no_hidden_ones():
    hall, layers = walk("resnet50"), graph("resnet50")[0]
    view = camera_presets.walk(hall, 20.0, 1280, 720)
    seen, every = label_placement.walk_labels(hall, layers, view), label_placement.walk_labels(hall, layers)
    assert 1 <= len(seen) < len(every) / 4
    assert all(view.project(np.array(label.position))[2] > 0 for label in seen)
    corners = np.concatenate([flat(view, label) for label in seen])
    assert (corners >= 0).all() and (corners <= (1280, 720)).all()
    boxes = [np.append(flat(view, w).min(0), flat(view, w).max(0)) for w in seen if w.font == "mono"]
    assert all(min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])
               for k, a in enumerate(boxes) for b in boxes[:k])  # fmt: skip
