"""Properties of layouts, checked with a hundred models' graphs and with extremes."""

import math

import numpy as np
import pytest

from innerwalk.blender_addon import layout
from innerwalk.blender_addon.layout import FIGURE_YAW, blocks, lay_out, layout_checks, measure_layout, stages, wing_cuts
from innerwalk.blender_addon.layout.hall_model import (
    AISLE_HALF_WIDTH,
    PANEL_BOTTOM,
    PANEL_TOP,
    WIDEST,
    cell_aspect,
    panel_grid,
    tile_edge,
)
from innerwalk.tests.support.graphs import EXTREMES, chain, figure, graph, models, names, panel, walk
from innerwalk.torch_bridge.recording.errors import UnknownName

ENOUGH = 1.0
"""Least distance that two panels must have, metres."""


def holds(measures: dict[str, float]) -> bool:
    clean = all(measures[name] == 0 for name in ("hidden", "backward", "crossed", "outside"))
    sizes = (
        measures["lowest"] >= PANEL_BOTTOM - 1e-9
        and measures["highest"] <= PANEL_TOP + 1e-9
        and measures["widest"] <= WIDEST + 1e-9
    )
    return clean and sizes and measures["least_gap"] >= ENOUGH


@pytest.mark.parametrize("name", names())
def test_a_walk_holds_its_properties(name):
    measures = measure_layout(walk(name))
    assert holds(measures), measures
    assert measures["free_aisle"] == pytest.approx(2 * AISLE_HALF_WIDTH)


@pytest.mark.parametrize("name", names())
def test_a_figure_holds_its_properties(name):
    hall, _ = figure(name)
    measures = measure_layout(hall)
    assert holds(measures), measures
    assert measures["free_aisle"] >= 2 * AISLE_HALF_WIDTH - 1e-9
    assert 1 <= len(hall.wings) <= wing_cuts.MOST


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("name", ["resnet50", "densenet121", "inception_v3", "googlenet", "swin_t", "regnet_x_8gf"])
def test_parallel_panels_hold_their_properties_in_any_number_of_wings(name, count):
    layers, links = graph(name)
    straight = lay_out(layers, links, swing=FIGURE_YAW, parallel_yaw=FIGURE_YAW)
    measures = measure_layout(
        lay_out(
            layers, links, swing=FIGURE_YAW, parallel_yaw=FIGURE_YAW, cuts=wing_cuts.choose_cuts(straight, links, count)
        )
    )
    assert holds(measures), measures


def test_data_flows_forward_at_a_distance():
    for name in names():
        slots = walk(name).slots
        for source, target in graph(name)[1]:
            least = layout.JOINT_GAP if slots[target].kind == "join" else layout.SOURCE_GAP
            assert slots[target].y - slots[source].y >= least - 1e-9, name
            assert slots[target].rank > slots[source].rank, name


def test_every_panel_has_room_for_its_channels():
    for name in names():
        for slot in walk(name).panels:
            channels, height, width = graph(name)[0][slot.index].map_shape
            assert (slot.columns - 1) * slot.rows < max(channels, 1) <= slot.columns * slot.rows, name
            assert slot.cell[0] / slot.cell[1] == pytest.approx(cell_aspect(height, width)), name


def test_sums_hang_on_the_right_and_both_sides_are_used():
    for name in names():
        assert all(slot.side == 1 for slot in walk(name).panels if slot.kind == "sum"), name
        assert len(walk(name).panels) < 2 or {slot.side for slot in walk(name).panels} == {-1, 1}, name


def test_one_thousand_panels_are_planned_and_hold():
    hall = lay_out(*chain(1000))
    assert holds(measure_layout(hall))


def test_the_same_graph_gives_the_same_hall():
    assert lay_out(*graph("googlenet")) == lay_out(*graph("googlenet"))


@pytest.mark.parametrize("aspect", [1 / 8, 0.5, 1.0, 4.0, 8.0])
def test_grids_of_any_count_fit_a_panel(aspect):
    for channels in (*range(1, 130), 192, 256, 320, 512, 1000, 1024, 2048, 4096, 10_000):
        columns, rows, width, height = panel_grid(channels, aspect)
        assert (columns - 1) * rows < channels <= columns * rows
        assert columns * width <= WIDEST + 1e-9 and rows * height <= PANEL_TOP - PANEL_BOTTOM + 1e-9
        assert width / height == pytest.approx(aspect)


@pytest.mark.parametrize(("channels", "edge"), [(3, 0.76), (16, 0.44), (64, 0.275), (256, 0.173), (512, 0.1375)])
def test_cells_shrink_with_the_cube_root_of_the_count(channels, edge):
    assert tile_edge(channels) == pytest.approx(edge, abs=0.005)


def test_bars_and_rows_are_readable():
    assert cell_aspect(1, 1) == 4.0
    assert cell_aspect(1, 4000) == 8.0 and cell_aspect(4000, 1) == 1 / 8
    assert cell_aspect(224, 224) == 1.0


def test_tensors_that_cross_to_a_wing_are_counted():
    for name in ("resnet18", "googlenet", "densenet121", "u_net", "many inputs", "apart"):
        layers, links = graph(name)
        crossing = [len({s for s, t in links if s < k <= t}) for k in range(len(layers))]
        assert wing_cuts.crossing_tensors(len(layers), links).tolist() == crossing, name


def titles(sizes):
    return [stages.stage_title(stage) for stage in stages.group_stages(sizes)]


def test_stages_are_runs_of_one_size():
    assert titles([(56, 56)] * 8 + [(28, 28)] * 6) == ["56 × 56", "28 × 28"]


def test_a_short_stage_joins_the_next_and_is_named():
    stem = [(149, 149), (147, 147), (147, 147), (73, 73), (71, 71)]
    assert titles(stem + [(35, 35)] * 20 + [(17, 17)] * 9) == ["149 × 149 to 35 × 35", "17 × 17"]


def test_vectors_between_maps_belong_to_the_stage_around_them():
    squeeze = [(28, 28), (28, 28), (1, 1), (1, 1), (28, 28)] * 3
    assert titles(squeeze + [(1, 1)]) == ["28 × 28", "vectors"]


def test_where_sizes_turn_the_narrowest_is_told():
    down_up = [(64, 64), (64, 64), (32, 32), (16, 16), (32, 32), (64, 64)]
    assert titles(down_up) == ["64 × 64 to 16 × 16 to 64 × 64"]


def test_windows_do_not_break_a_stage():
    windows = ([(14, 14)] * 4 + [(7, 7)] * 4) * 4 + [(14, 14)] * 2
    assert titles(windows) == ["14 × 14"]


def test_a_cut_stage_goes_on_under_its_name():
    cut = stages.cut_stages(stages.group_stages([(8, 8)] * 3 + [(4, 4)] * 20), [10])
    assert [stages.stage_title(stage) for stage in cut] == ["8 × 8 to 4 × 4", "4 × 4, continued"]
    assert [(stage.first, stage.last) for stage in cut] == [(0, 9), (10, 22)]


def test_inception_and_squeeze_and_excite_have_few_stages():
    assert titles([layer.map_shape[1:] for layer in graph("inception_v3")[0]])[0].startswith("149 × 149 to 35 × 35")
    assert len(walk("efficientnet_b0").stages) == 6
    assert all(len(walk(name).stages) <= 16 for name in models() if "rcnn" not in name and "fpn" not in name)


def test_no_two_edges_share_a_place():
    """Trunks of one level and lane follow each other: none begins before the one before it has ended."""
    for name in names():
        busy: dict[tuple[int, bool, float], float] = {}
        for run in sorted(walk(name).runs, key=lambda run: run.source.y):
            key = (run.source.wing, run.above, round(run.lane, 6))
            assert busy.get(key, -math.inf) <= run.source.y + 1e-6, name
            busy[key] = max(busy.get(key, -math.inf), *(target.y for target in run.targets))


def test_kinds_of_edges():
    kinds = {run.kind: run.above for run in walk("resnet50").runs}
    assert kinds["skip"] and not kinds["data"] and "joined" not in kinds
    assert {run.kind for run in walk("squeezenet1_0").runs} == {"data", "joined"}


def test_crossing_knows_lines_that_cross():
    cross = np.array([[[0, 0], [1, 1]], [[0, 1], [1, 0]], [[2, 0], [3, 0]]], float)
    assert layout_checks.segments_cross(cross[0], cross[1]) and not layout_checks.segments_cross(cross[0], cross[2])
    assert layout_checks.least_gap(cross[[0, 2]]) == pytest.approx(math.sqrt(2))
    assert layout_checks.least_gap(cross[:2]) == 0.0


def test_a_law_that_is_broken_is_seen():
    hall = lay_out(*chain(6))
    hall.slots[2] = type(hall.slots[2])(**{**vars(hall.slots[2]), "y": hall.slots[0].y + 0.3})
    measures = measure_layout(hall)
    assert measures["least_gap"] < ENOUGH and measures["hidden"] > 0


def test_blocks_are_found_at_the_depth_that_reads():
    found = dict(blocks.named_blocks(graph("resnet50")[0]))
    assert {"layer1.0", "layer3.2", "layer4.2"} <= set(found.values())
    assert "features.3" in dict(blocks.named_blocks(graph("squeezenet1_0")[0])).values()
    assert "encoder.layers.encoder_layer_3" in dict(blocks.named_blocks(graph("vit_b_16")[0])).values()


def test_the_last_panel_stands_for_its_block():
    layers = [panel("stem", (8, 4, 4)), *(panel(f"a.{k}", (8, 4, 4)) for k in range(3))]
    layers += [panel("a:add", (8, 4, 4), "add")]
    layers += [panel("b.x", (8, 4, 4)), panel("b.y", (8, 4, 4)), panel("b:cat", (16, 4, 4), "cat", "joint")]
    links = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (4, 5), (4, 6), (5, 7), (6, 7)]
    shown, left = blocks.collapse(layers, links, blocks.prefix_blocks(layers, 1))
    assert [layer.id for layer in shown] == ["stem", "a:add", "b:cat"]
    assert left == [(0, 1), (1, 2)]
    assert shown[1].note == "represents 4 layers of a" and shown[2].role == "panel"


def test_blocks_are_chosen_by_glob():
    layers, links = graph("resnet50")
    found = blocks.matching_blocks(layers, ["layer3.*", "layer4"])
    assert [block.name for block in found] == [*(f"layer3.{k}" for k in range(6)), "layer4"]
    shown, left = blocks.collapse(layers, links, found)
    assert sum(layer.id.startswith("layer3.") for layer in shown) == 6
    assert holds(measure_layout(lay_out(shown, left)))
    with pytest.raises(UnknownName, match="layer4"):
        blocks.matching_blocks(layers, ["layer5"])


@pytest.mark.parametrize("name", ["resnet152", "densenet201", "vit_h_14", "swin_v2_b", "maxvit_t", "efficientnet_b7"])
def test_a_large_network_is_shown_by_its_blocks(name):
    layers, links = blocks.collapse_to_fit(*graph(name))
    shown = sum(layer.role != "joint" for layer in layers)
    assert blocks.FEWEST <= shown <= blocks.MOST
    assert all(s < t for s, t in links) and len(links) == len(set(links))
    assert holds(measure_layout(lay_out(layers, links)))


def test_a_small_or_flat_network_is_shown_whole():
    for name in ("resnet50", "perceptron"):
        assert blocks.collapse_to_fit(*graph(name)) == (list(graph(name)[0]), list(graph(name)[1]))
    flat = [panel(f"conv{k}", (4, 4, 4)) for k in range(200)]
    assert len(blocks.collapse_to_fit(flat, [])[0]) == 200


def test_extremes_are_what_they_say():
    assert sum(map(len, (graph("dense")[0], graph("branches")[0]))) > 150
    assert measure_layout(lay_out(*EXTREMES["one panel"]))["panels"] == 1
